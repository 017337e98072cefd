//! A server's configuration file, as far as it tells where other things are and what is sent to all clients.

use crate::config::Config;
use crate::routes::{Route, RouteKind, take_in};

/// What a server's configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerConfig {
    /// `client-config-dir`; relative to the daemon's working directory, as all paths here.
    pub client_config_dir: Option<String>,
    /// `crl-verify FILE`
    pub crl_file: Option<String>,
    /// `cert`: the server's own certificate.
    pub certificate_file: Option<String>,
    /// Routes that are sent to every client.
    pub routes: Vec<Route>,
    /// How many routes cannot be read.
    pub unreadable: usize,
}

/// Reads a server's configuration. What is repeated counts as it stands last, as in OpenVPN.
pub fn parse_server_config(text: &str) -> ServerConfig {
    let mut config = ServerConfig::default();
    for directive in Config::parse(text).directives {
        if directive.is_inline() {
            continue;
        }
        match directive.words().as_slice() {
            // A directory of files named by serial numbers is another thing.
            ["crl-verify", _, "dir", ..] => config.crl_file = None,
            ["crl-verify", file, ..] => config.crl_file = Some((*file).to_owned()),
            ["client-config-dir", folder, ..] => config.client_config_dir = Some((*folder).to_owned()),
            ["cert", file, ..] => config.certificate_file = Some((*file).to_owned()),
            _ => config.unreadable += usize::from(!take_in(&mut config.routes, &directive)),
        }
    }
    config.routes.retain(|route| route.kind == RouteKind::Push);
    config
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_recorded_configuration_is_read() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/openvpn/b-client-auth/server.conf"
        );
        let config = parse_server_config(&std::fs::read_to_string(path).unwrap());
        assert_eq!(config.client_config_dir.as_deref(), Some("ccd"));
        assert_eq!(config.crl_file.as_deref(), Some("pki/crl.pem"));
        assert_eq!(config.certificate_file.as_deref(), Some("pki/issued/vpn-gw1.crt"));
        let routes: Vec<String> = config.routes.iter().map(|route| route.network.to_string()).collect();
        assert_eq!(routes, ["172.16.66.0/24"]);
    }

    #[test]
    fn a_directory_of_revoked_serials_is_no_list() {
        assert_eq!(parse_server_config("crl-verify revoked dir\n").crl_file, None);
    }

    #[test]
    fn what_stands_in_the_configuration_itself_is_no_file() {
        let config = parse_server_config("<cert>\nroute 10.0.0.0\n</cert>\n<crl-verify>\n</crl-verify>\n");
        assert_eq!(config, ServerConfig::default());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,300}") {
            let _ = parse_server_config(&text);
        }
    }
}
