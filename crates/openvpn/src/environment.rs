//! The environment that OpenVPN hands to scripts (`NAME=value` lines) and to the management interface (`>CLIENT:ENV,…`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use time::OffsetDateTime;

/// Names whose values are secrets. They are dropped while parsing, so that nothing later can show them.
const SECRETS: [&str; 3] = ["password", "auth_token", "auth_challenge"];

/// The client program, as it announced itself (`IV_PLAT`, `IV_VER`, `IV_GUI_VER`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientSoftware {
    pub platform: Option<String>,
    pub version: Option<String>,
    pub gui: Option<String>,
}

/// The variables of one script call or one client notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads a file of `NAME=value` lines; lines that start with `#` and lines without `=` are remarks.
    pub fn parse(text: &str) -> Self {
        let mut environment = Self::default();
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .for_each(|line| environment.add(line));
        environment
    }

    /// Takes in one `NAME=value`.
    pub fn add(&mut self, assignment: &str) {
        let Some((name, value)) = assignment.split_once('=') else {
            return;
        };
        if !SECRETS.iter().any(|secret| name.to_ascii_lowercase().contains(secret)) {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    /// As `NAME=value` lines, to be read by [`Self::parse`] again. A line break in a value becomes a space.
    pub fn to_lines(&self) -> String {
        let line = |(name, value): (&String, &String)| format!("{name}={}\n", value.replace(['\n', '\r'], " "));
        self.0.iter().map(line).collect()
    }

    /// The value, unless it is missing or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    pub fn address(&self, name: &str) -> Option<IpAddr> {
        self.text(name)?.parse().ok().map(|ip: IpAddr| ip.to_canonical())
    }

    /// With `env-filter` the common name is missing; the certificate's own subject is not.
    pub fn common_name(&self) -> Option<&str> {
        self.text("common_name").or_else(|| self.text("X509_0_CN"))
    }

    /// When the client's handshake began, in whole seconds.
    pub fn connected_at(&self) -> Option<OffsetDateTime> {
        unix_seconds(self.number("time_unix")?)
    }

    /// The client's address as the daemon knows it now.
    pub fn real_ip(&self) -> Option<IpAddr> {
        ["trusted_ip", "trusted_ip6", "untrusted_ip", "untrusted_ip6"]
            .iter()
            .find_map(|name| self.address(name))
    }

    pub fn real_port(&self) -> Option<u16> {
        ["trusted_port", "untrusted_port"]
            .iter()
            .find_map(|name| self.text(name)?.parse().ok())
    }

    pub fn virtual_ip(&self) -> Option<IpAddr> {
        self.address("ifconfig_pool_remote_ip")
    }

    pub fn virtual_ip6(&self) -> Option<IpAddr> {
        self.address("ifconfig_pool_remote_ip6")
    }

    pub fn client(&self) -> Option<ClientSoftware> {
        let owned = |name| self.text(name).map(str::to_owned);
        let client = ClientSoftware {
            platform: owned("IV_PLAT"),
            version: owned("IV_VER"),
            gui: owned("IV_GUI_VER"),
        };
        (client != ClientSoftware::default()).then_some(client)
    }

    /// Start time and process id: one life of the process.
    pub fn daemon(&self) -> Option<(u64, u64)> {
        Some((self.number("daemon_start_time")?, self.number("daemon_pid")?))
    }
}

/// An instant from whole seconds since 1970; `None` when no calendar has that second.
pub fn unix_seconds(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_never_leaves_the_parser() {
        let environment = Environment::parse("username=john.doe\npassword=lab-secret-1\nPASSWORD=x\n");
        assert_eq!(environment.text("username"), Some("john.doe"));
        assert!(!format!("{environment:?}").contains("lab-secret"));
        assert_eq!(environment.0.len(), 1);
    }

    #[test]
    fn an_ipv6_client_has_an_address_and_a_port() {
        let environment = Environment::parse("trusted_ip6=fd18:1::c\ntrusted_port=56188\n");
        assert_eq!(environment.real_ip(), Some("fd18:1::c".parse().unwrap()));
        assert_eq!(environment.real_port(), Some(56188));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,400}", number in any::<u64>()) {
            let environment = Environment::parse(&text);
            let _ = (environment.connected_at(), environment.real_ip(), environment.client(), environment.daemon());
            let mut environment = Environment::default();
            environment.add(&format!("time_unix={number}"));
            let _ = environment.connected_at();
        }
    }
}
