//! A file of the client configuration directory: what a VPN server has in store for one client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::Config;
use crate::network::prefix;
use crate::routes::{Route, take_in};

/// What one client's file says, as far as addresses and routes go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientConfig {
    /// `ifconfig-push`
    pub address: Option<Ipv4Addr>,
    /// Missing where the topology has none (`net30`, `p2p`): the second word is the peer's address there.
    pub netmask: Option<Ipv4Addr>,
    /// `ifconfig-ipv6-push`
    pub address6: Option<Ipv6Addr>,
    pub routes: Vec<Route>,
    /// `disable`: the client is turned away.
    pub disabled: bool,
    /// How many directives about these things cannot be read.
    pub unreadable: usize,
}

/// Reads a client's file. What is repeated counts as it stands last, as in OpenVPN.
pub fn parse_client_config(text: &str) -> ClientConfig {
    let mut config = ClientConfig::default();
    for directive in Config::parse(text).directives {
        let read = match directive.words().as_slice() {
            ["disable", ..] => {
                config.disabled = true;
                true
            }
            ["ifconfig-push", rest @ ..] => config.set_address(rest),
            ["ifconfig-ipv6-push", rest @ ..] => config.set_address6(rest),
            _ => take_in(&mut config.routes, &directive),
        };
        config.unreadable += usize::from(!read);
    }
    config
}

impl ClientConfig {
    /// `ADDRESS NETMASK` or `ADDRESS PEER`
    fn set_address(&mut self, words: &[&str]) -> bool {
        let Some(address) = words.first().and_then(|word| word.parse().ok()) else {
            return false;
        };
        self.address = Some(address);
        let second: Option<Ipv4Addr> = words.get(1).and_then(|word| word.parse().ok());
        self.netmask = second.filter(|netmask| prefix(*netmask).is_some_and(|ones| ones > 0));
        true
    }

    /// `ADDRESS/PREFIX [PEER]`
    fn set_address6(&mut self, words: &[&str]) -> bool {
        let address = words.first().map(|word| word.split('/').next().unwrap_or_default());
        match address.and_then(|address| address.parse().ok()) {
            Some(IpAddr::V6(address)) => self.address6 = Some(address),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::routes::RouteKind;

    fn recorded(name: &str) -> ClientConfig {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/openvpn/ccd");
        parse_client_config(&std::fs::read_to_string(format!("{folder}/{name}")).unwrap())
    }

    #[test]
    fn the_recorded_files_are_read() {
        let branch = recorded("branch-office-01");
        assert_eq!(branch.address, Some([10, 66, 0, 200].into()));
        assert_eq!(branch.netmask, Some([255, 255, 255, 0].into()));
        assert_eq!(branch.address6, Some("fd42:66::c8".parse().unwrap()));
        let routes: Vec<(RouteKind, String)> = branch
            .routes
            .iter()
            .map(|route| (route.kind, route.network.to_string()))
            .collect();
        assert_eq!(
            routes,
            [
                (RouteKind::Push, "172.20.0.0/16".to_owned()),
                (RouteKind::Push, "10.99.1.0/24".to_owned()),
                (RouteKind::Iroute, "192.168.77.0/24".to_owned()),
                (RouteKind::Iroute, "192.168.78.0/24".to_owned()),
                (RouteKind::Iroute, "fd42:77::/64".to_owned()),
            ]
        );
        assert_eq!(branch.unreadable, 0);
        assert!(recorded("dave").disabled);
        assert_eq!(recorded("Jürgen Müller"), ClientConfig::default());
    }

    #[test]
    fn a_point_to_point_address_has_no_netmask() {
        let config = parse_client_config("ifconfig-push 10.8.0.5 10.8.0.6\r\n");
        assert_eq!((config.address, config.netmask), (Some([10, 8, 0, 5].into()), None));
    }

    #[test]
    fn gateways_comments_resets_and_what_cannot_be_read() {
        let config = parse_client_config(
            "push \"route 10.1.0.0 255.255.0.0\"\npush-reset\npush \"route 10.2.3.4 255.255.0.0 10.8.0.1 5\" # head office\n\
             push \"route 10.3.0.1\"\npush \"route-ipv6 fd00:1::/48 fd00::1\"\niroute branch.example 255.0.0.0\nifconfig-push nowhere\n",
        );
        let networks: Vec<String> = config.routes.iter().map(|route| route.network.to_string()).collect();
        assert_eq!(networks, ["10.2.0.0/16", "10.3.0.1/32", "fd00:1::/48"]);
        assert_eq!(config.routes[0].gateway, Some("10.8.0.1".parse().unwrap()));
        assert_eq!(config.routes[0].comment.as_deref(), Some("head office"));
        assert_eq!(config.routes[2].gateway, Some("fd00::1".parse().unwrap()));
        assert_eq!(config.unreadable, 2);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "((ifconfig-push|iroute|push \"route|push-reset|iroute-ipv6)[ a-z0-9./:\"'\\\\#;\u{fc}]{0,40}\n?){0,6}") {
            let _ = parse_client_config(&text);
        }
    }
}
