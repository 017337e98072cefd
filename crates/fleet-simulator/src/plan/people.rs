//! The VPN users of the fleet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dice::Dice;
use agent_api::Client;

const FIRST_NAMES: [&str; 20] = [
    "anna", "ben", "carla", "deniz", "elena", "farid", "greta", "hugo", "ines", "jonas", "katja", "lukas", "mara",
    "nils", "olga", "pavel", "rosa", "samir", "tanja", "victor",
];
const LAST_NAMES: [&str; 24] = [
    "adler", "becker", "costa", "demir", "ebert", "fischer", "garcia", "hansen", "ivanov", "jansen", "keller",
    "lehmann", "meier", "novak", "olsen", "peters", "quint", "rossi", "schmidt", "thomas", "urban", "vogel", "weber",
    "zimmer",
];

/// Someone, or some branch office, with a certificate.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub common_name: String,
    pub username: Option<String>,
    pub client: Client,
    pub home: IpAddr,
}

/// The same person for the same number, whatever the seed: people outlive simulations.
pub(super) fn person(number: usize) -> Person {
    let name = name(number);
    match number % 12 {
        5 => Person {
            common_name: format!("branch-{number:04}"),
            username: None,
            client: client("linux", "2.6.14", None),
            home: home(number),
        },
        9 => Person {
            common_name: format!("ext-{name}"),
            username: Some(format!("ext-{name}")),
            client: platform(number),
            home: home(number),
        },
        _ => Person {
            common_name: format!("{name}@example.com"),
            username: Some(name),
            client: platform(number),
            home: home(number),
        },
    }
}

/// Branch offices have one, people do not.
pub(super) fn has_static_address(number: usize) -> bool {
    number % 12 == 5
}

fn name(number: usize) -> String {
    let count = FIRST_NAMES.len() * LAST_NAMES.len();
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[(number / FIRST_NAMES.len()) % LAST_NAMES.len()];
    match number / count {
        0 => format!("{first}.{last}"),
        namesakes => format!("{first}.{last}{}", namesakes + 1),
    }
}

fn platform(number: usize) -> Client {
    match number % 7 {
        0..=3 => client("win", "2.6.12", Some("OCmGUI_11.5.0")),
        4 => client("mac", "2.6.14", Some("net.tunnelblick.tunnelblick_6070_6.0")),
        5 => client("ios", "3.10.4", Some("net.openvpn.connect.ios_3.5.1")),
        _ => client("android", "3.git", Some("net.openvpn.connect.android_3.5.1")),
    }
}

fn client(platform: &str, version: &str, gui: Option<&str>) -> Client {
    Client {
        platform: Some(platform.to_owned()),
        version: Some(version.to_owned()),
        gui: gui.map(str::to_owned),
    }
}

/// Addresses kept for benchmarks and documentation, which belong to nobody; a few people share one.
fn home(number: usize) -> IpAddr {
    let place = u32::try_from(number % 100_000).unwrap_or_default() * 7 / 8;
    match number % 8 {
        3 => Ipv6Addr::new(
            0x2001,
            0xdb8,
            0x51,
            u16::try_from(place % 65_536).unwrap_or_default(),
            0,
            0,
            0,
            1,
        )
        .into(),
        _ => Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 1).to_bits() + place).into(),
    }
}

/// A hotel, a train, a telephone.
pub(super) fn elsewhere(dice: &mut Dice) -> IpAddr {
    let place = u32::try_from(dice.index(254)).unwrap_or_default();
    Ipv4Addr::from_bits(Ipv4Addr::new(203, 0, 113, 1).to_bits() + place).into()
}

/// Who uses the server with this index: everybody has one, and some have a second.
pub(super) fn users_of(server: usize, servers: usize, users: u32) -> Vec<usize> {
    let everybody = 0..users as usize;
    let uses = |number: &usize| number % servers == server || (number % 10 == 3 && (number / 10) % servers == server);
    everybody.filter(uses).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn everybody_has_a_name_of_their_own() {
        let names: HashSet<String> = (0..3_000).map(|number| person(number).common_name).collect();
        assert_eq!(names.len(), 3_000);
    }
}
