//! Routes: what is sent to clients (`push "route …"`), and which networks are behind a client (`iroute`).

use std::net::{IpAddr, Ipv4Addr};

use crate::config::Directive;
use crate::network::Network;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// The client is told to send this network's traffic through the tunnel.
    Push,
    /// This network is behind the client.
    Iroute,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub kind: RouteKind,
    pub network: Network,
    /// Unless it is the tunnel's own.
    pub gateway: Option<IpAddr>,
    /// What stands behind it in the file.
    pub comment: Option<String>,
}

/// What a directive says of routes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Route(Route),
    /// `push-reset`: nothing that was pushed before.
    Reset,
    /// A route that cannot be read, such as one with a host's name.
    Unreadable,
    /// It is about something else.
    Nothing,
}

pub(crate) fn said(directive: &Directive) -> Said {
    let (kind, network, gateway) = match directive.words().as_slice() {
        ["push-reset", ..] => return Said::Reset,
        ["iroute", rest @ ..] => (RouteKind::Iroute, ipv4(rest), None),
        ["iroute-ipv6", rest @ ..] => (RouteKind::Iroute, ipv6(rest), None),
        ["push", pushed, ..] => {
            let words: Vec<&str> = pushed.split_whitespace().collect();
            match words.as_slice() {
                ["route", rest @ ..] => (RouteKind::Push, ipv4(rest), gateway(rest.get(2))),
                ["route-ipv6", rest @ ..] => (RouteKind::Push, ipv6(rest), gateway(rest.get(1))),
                _ => return Said::Nothing,
            }
        }
        _ => return Said::Nothing,
    };
    let comment = directive.comment.clone();
    network.map_or(Said::Unreadable, |network| {
        Said::Route(Route {
            kind,
            network,
            gateway,
            comment,
        })
    })
}

/// Adds what a directive says to a list of routes; `false` when it is a route that cannot be read.
pub(crate) fn take_in(routes: &mut Vec<Route>, directive: &Directive) -> bool {
    match said(directive) {
        Said::Route(route) => routes.push(route),
        Said::Reset => routes.retain(|route| route.kind != RouteKind::Push),
        Said::Nothing => {}
        Said::Unreadable => return false,
    }
    true
}

/// `NETWORK [NETMASK]`; without a mask it is one host.
fn ipv4(words: &[&str]) -> Option<Network> {
    let netmask = words.get(1).filter(|word| **word != "default");
    let netmask = netmask.map_or(Some(Ipv4Addr::BROADCAST), |word| word.parse().ok())?;
    Network::with_netmask(words.first()?.parse().ok()?, netmask)
}

/// `NETWORK/PREFIX`
fn ipv6(words: &[&str]) -> Option<Network> {
    words.first()?.parse().ok()
}

/// `default`, `vpn_gateway` and `net_gateway` are found out by the client.
fn gateway(word: Option<&&str>) -> Option<IpAddr> {
    word?.parse().ok()
}
