//! Whose request it is, behind proxies or not.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnetwork::{IpNetwork, IpNetworkError};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone)]
pub(crate) struct TrustedProxies(Arc<[IpNetwork]>);

impl FromStr for TrustedProxies {
    type Err = IpNetworkError;

    /// Networks or addresses separated by commas, or `none`.
    fn from_str(text: &str) -> Result<Self, IpNetworkError> {
        if text.trim() == "none" {
            return Ok(Self(Arc::default()));
        }
        let networks = text.split(',').map(str::trim).filter(|network| !network.is_empty());
        networks.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// The address of the client that a request comes from: the peer's own, or what trusted proxies (`TRUSTED_PROXIES`) say of
/// it in `X-Forwarded-For`. What stands in that header left of the last address that a trusted proxy wrote is the
/// client's own invention and is not looked at. An IPv4 address is never written as an IPv6 one.
pub fn client_ip(request: &HttpRequest) -> IpAddr {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip().to_canonical());
    match request.app_data::<TrustedProxies>() {
        Some(trusted) => behind_proxies(peer, request.headers(), trusted),
        None => peer,
    }
}

/// Goes from hop to hop, from the last one, as long as the hop is a trusted proxy.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    let mut client = peer;
    while trusted.trust(client) {
        let Some(address) = hops.next().and_then(address_of) else {
            break;
        };
        client = address;
    }
    client
}

/// Proxies write addresses with and without a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| Some(rest.split_once(']')?.0))
        .unwrap_or(hop);
    let parsed = bare.parse().ok();
    parsed
        .or_else(|| bare.rsplit_once(':')?.0.parse().ok())
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> String {
        let peer = format!("{peer}:4711").parse().expect("an address");
        let mut request = TestRequest::default()
            .peer_addr(peer)
            .app_data(trusted.parse::<TrustedProxies>().expect("networks"));
        for line in lines {
            request = request.append_header((FORWARDED_FOR, *line));
        }
        client_ip(&request.to_http_request()).to_string()
    }

    #[test]
    fn a_stranger_is_who_it_is_whatever_it_says() {
        assert_eq!(
            client("127.0.0.1/32,::1/128", "203.0.113.9", &["10.0.0.1"]),
            "203.0.113.9"
        );
        assert_eq!(client("none", "127.0.0.1", &["10.0.0.1"]), "127.0.0.1");
        assert_eq!(
            client("10.0.0.0/8", "[::ffff:203.0.113.9]", &["10.0.0.1"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_own_client_only() {
        let one = ["198.51.100.7"];
        assert_eq!(client("127.0.0.1", "127.0.0.1", &one), "198.51.100.7");
        assert_eq!(
            client("127.0.0.1", "127.0.0.1", &["1.2.3.4, 198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            client("127.0.0.1", "127.0.0.1", &["1.2.3.4", "198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(client("127.0.0.1", "[::ffff:127.0.0.1]", &one), "198.51.100.7");
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed_to_its_first_stranger() {
        let trusted = "127.0.0.1,10.0.0.0/8";
        let chain = ["1.2.3.4, 198.51.100.7, 10.1.1.1"];
        assert_eq!(client(trusted, "127.0.0.1", &chain), "198.51.100.7");
        assert_eq!(client(trusted, "127.0.0.1", &["10.9.9.9"]), "10.9.9.9");
    }

    #[test]
    fn what_is_no_address_ends_the_chain() {
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["1.2.3.4, unknown"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &[""]), "127.0.0.1");
        assert_eq!(
            client("127.0.0.1", "127.0.0.1", &["198.51.100.7:55112"]),
            "198.51.100.7"
        );
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["2001:db8::7"]), "2001:db8::7");
    }
}
