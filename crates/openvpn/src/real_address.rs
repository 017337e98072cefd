//! Where a client comes from, as the daemon prints it.

use std::net::{IpAddr, SocketAddr};

/// An address outside the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealAddress {
    pub ip: IpAddr,
    /// Missing for IPv6 before 2.7: those daemons print the address alone.
    pub port: Option<u16>,
}

impl RealAddress {
    /// `198.18.0.11:33360`, `fd18::10`; since 2.7 `udp4:198.18.0.11:33360`, `udp6:[fd18::10]:33360`. IPv4 in IPv6 is IPv4.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = |text: &str| {
            let with_port = text
                .parse::<SocketAddr>()
                .map(|address| (address.ip(), Some(address.port())));
            let (ip, port) = with_port.or_else(|_| text.parse().map(|ip| (ip, None))).ok()?;
            Some(Self {
                ip: ip.to_canonical(),
                port,
            })
        };
        bare(text).or_else(|| {
            let (protocol, rest) = text.split_once(':')?;
            ["udp", "tcp"]
                .iter()
                .any(|known| protocol.starts_with(known))
                .then(|| bare(rest))?
        })
    }

    /// Whether a client at this address and port may be meant.
    pub fn is_of(&self, ip: Option<IpAddr>, port: Option<u16>) -> bool {
        ip == Some(self.ip) && (self.port.is_none() || self.port == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_a_daemon_prints_is_read() {
        for (text, ip, port) in [
            ("198.18.0.11:33360", "198.18.0.11", Some(33360)),
            ("198.18.0.11", "198.18.0.11", None),
            ("fd18::10", "fd18::10", None),
            ("[fd18::10]:33360", "fd18::10", Some(33360)),
            ("::ffff:198.18.0.11", "198.18.0.11", None),
            ("udp4:198.18.0.11:33360", "198.18.0.11", Some(33360)),
            ("tcp4-server:198.18.0.11:33360", "198.18.0.11", Some(33360)),
            ("udp6:[fd18::10]:33360", "fd18::10", Some(33360)),
            ("udp6:198.18.0.11:33360", "198.18.0.11", Some(33360)),
        ] {
            let ip = ip.parse().unwrap();
            assert_eq!(RealAddress::parse(text), Some(RealAddress { ip, port }), "{text}");
        }
        for wrong in [
            "",
            "UNDEF",
            "udp4:",
            "udp4:UNDEF",
            "jdoe:198.18.0.11:33360",
            "198.18.0.11:99999",
        ] {
            assert_eq!(RealAddress::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_without_a_port_means_every_client_at_it() {
        let ip = "fd18::10".parse().ok();
        let is_of = |text: &str, port| RealAddress::parse(text).unwrap().is_of(ip, port);
        assert!(is_of("fd18::10", Some(1)) && is_of("fd18::10", None));
        assert!(is_of("udp6:[fd18::10]:1", Some(1)));
        assert!(!is_of("udp6:[fd18::10]:1", Some(2)) && !is_of("udp6:[fd18::10]:1", None));
        assert!(!is_of("fd18::11", None));
    }
}
