//! Other releases than the one that most recordings are of: what differs between them is read alike.

use std::fs;
use std::net::IpAddr;

use agent_api::{Event, EventType};
use openvpn::management::Notice;
use openvpn::status::{ListedClient, StatusReport, parse_status};
use uuid::Uuid;

use super::recordings::{ended_as_scripts_say, folder, notices, of_type, play, tracker};

const RELEASES: [&str; 3] = [
    "../openvpn-releases/2.4.12",
    "../openvpn-releases/2.5.11",
    "../openvpn-releases/2.7.6",
];

fn list(run: &str, file: &str) -> StatusReport {
    let text = fs::read_to_string(folder(run).join(file)).unwrap();
    parse_status(&text).unwrap_or_else(|error| panic!("{run}/{file}: {error}"))
}

#[test]
fn the_three_lists_of_an_instant_name_the_same_clients() {
    let facts = |clients: &[ListedClient]| {
        let mut facts: Vec<_> = clients
            .iter()
            .map(|client| {
                let virtual_ips = (client.virtual_ip, client.virtual_ip6);
                let real = (client.real_ip, client.real_port);
                (client.common_name.clone(), real, virtual_ips, client.connected_at)
            })
            .collect();
        facts.sort();
        facts
    };
    for run in RELEASES {
        for (when, clients) in [
            ("0-empty", 0),
            ("2-two-clients", 2),
            ("7-one-has-left", 1),
            ("8-restarted", 1),
        ] {
            let [first, second, third] = [1, 2, 3].map(|version| {
                let list = list(run, &format!("mgmt-status{version}-{when}.txt"));
                assert_eq!(list.version, version, "{run} {when}");
                facts(&list.clients)
            });
            assert_eq!((&first, first.len()), (&second, clients), "{run} {when}");
            assert_eq!(second, third, "{run} {when}");
        }
        let file = list(run, "statusfile-2-two-clients.log");
        let asked = list(run, "mgmt-status1-2-two-clients.txt");
        assert_eq!(facts(&file.clients), facts(&asked.clients), "{run}");
    }
}

#[test]
fn an_address_is_read_in_each_releases_way() {
    for run in RELEASES {
        let list = list(run, "mgmt-status3-2-two-clients.txt");
        let of = |name: &str| list.clients.iter().find(|client| client.common_name == name).unwrap();
        let (alice, jürgen) = (of("alice"), of("Jürgen Müller"));
        assert_eq!(alice.real_ip, Some(IpAddr::from([198, 18, 0, 10])), "{run}");
        assert!(alice.real_port.is_some(), "{run}");
        assert_eq!(jürgen.real_ip, "fd18::11".parse().ok(), "{run}");
        assert_eq!(jürgen.real_port.is_some(), run.ends_with("2.7.6"), "{run}");
    }
}

/// Connects and ends, as often as there are, by session.
fn lives(events: &[Event]) -> Vec<(Uuid, EventType)> {
    let of = |event_type| {
        of_type(events, event_type)
            .into_iter()
            .map(move |event| (event, event_type))
    };
    let mut lives: Vec<_> = of(EventType::SessionConnected)
        .chain(of(EventType::SessionDisconnected))
        .map(|(event, event_type)| {
            let session = event.session.as_ref().unwrap();
            (session.session_id.unwrap_or(event.event_id), event_type)
        })
        .collect();
    lives.sort_by_key(|(id, event_type)| (*id, format!("{event_type:?}")));
    lives
}

#[test]
fn hooks_and_the_management_interface_tell_the_same_sessions_of_every_release() {
    for run in RELEASES {
        let hooks = play(run, &mut tracker(true), false, true);
        ended_as_scripts_say(run, &hooks);
        let both = play(run, &mut tracker(true), true, true);
        ended_as_scripts_say(run, &both);
        assert_eq!(lives(&both), lives(&hooks), "{run}");
        let connects = |events: &[Event]| {
            let mut ids: Vec<Uuid> = of_type(events, EventType::SessionConnected)
                .iter()
                .map(|event| event.event_id)
                .collect();
            ids.sort();
            ids
        };
        let heard = play(run, &mut tracker(false), true, false);
        assert_eq!(connects(&heard), connects(&hooks), "{run}");
        assert_eq!(connects(&hooks).len(), 4, "{run}");
    }
}

#[test]
fn a_logged_end_says_why_in_every_release() {
    for (run, reason) in RELEASES.into_iter().zip(["remote-exit", "remote-exit", "delayed-exit"]) {
        let logged: Vec<_> = notices(run)
            .into_iter()
            .filter_map(|timed| match timed.notice {
                Notice::ClientEnded(ended) => Some((ended.common_name, ended.reason)),
                _ => None,
            })
            .collect();
        assert!(
            logged.contains(&("Jürgen Müller".to_owned(), reason.to_owned())),
            "{run}: {logged:?}"
        );
        let heard = play(run, &mut tracker(false), true, false);
        let told = of_type(&heard, EventType::SessionDisconnected);
        let told = told.iter().filter_map(|event| event.session.as_ref());
        let reasons: Vec<_> = told.filter_map(|session| session.disconnect_reason.clone()).collect();
        assert!(
            reasons.is_empty() || reasons.contains(&reason.to_owned()),
            "{run}: {reasons:?}"
        );
    }
}

/// Neither hooks nor notifications tell the cipher; and it is known only once the keys are agreed upon.
#[test]
fn the_cipher_is_learned_from_the_lists() {
    for (run, cipher) in RELEASES
        .into_iter()
        .zip([None, Some("AES-256-GCM"), Some("AES-256-GCM")])
    {
        let events = play(run, &mut tracker(true), true, true);
        let told: Vec<_> = events
            .iter()
            .filter_map(|event| event.session.as_ref())
            .filter_map(|session| session.cipher.as_deref())
            .collect();
        // Of both clients, once; the recordings ask for lists rarely.
        assert_eq!(told, vec![cipher; 2].into_iter().flatten().collect::<Vec<_>>(), "{run}");
    }
}
