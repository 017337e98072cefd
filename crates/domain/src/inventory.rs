//! What a VPN server has in store for its VPN users: certificates, static addresses, routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use time::OffsetDateTime;

/// All of it at one instant. What a later one does not have any more is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The agent's clock, but never later than the arrival by ours.
    pub taken_at: OffsetDateTime,
    pub certificates: Vec<Certificate>,
    pub ccds: Vec<Ccd>,
    pub routes: Vec<Route>,
}

/// A certificate that lets a VPN user in, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub common_name: String,
    /// Hexadecimal in lower case without leading zeros, at most 20 bytes.
    pub serial: String,
    pub expires_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
}

/// What the client configuration directory says of a VPN user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ccd {
    pub common_name: String,
    pub ifconfig_ip: Option<Ipv4Addr>,
    pub ifconfig_netmask: Option<Ipv4Addr>,
    pub ifconfig_ip6: Option<Ipv6Addr>,
    /// The VPN server turns this VPN user away.
    pub disabled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteType {
    /// Sent to the client.
    Push,
    /// A network behind the client.
    Iroute,
}

impl RouteType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Iroute => "iroute",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Push, Self::Iroute].into_iter().find(|one| one.as_str() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `None`: the VPN server sends it to all of its clients.
    pub common_name: Option<String>,
    pub route_type: RouteType,
    /// Host bits are zero.
    pub network: IpAddr,
    pub prefix: u8,
    pub gateway: Option<IpAddr>,
    pub comment: Option<String>,
}

impl Inventory {
    /// The VPN users it speaks of; several times, if it says several things of one.
    pub fn common_names(&self) -> impl Iterator<Item = &str> {
        let certificates = self.certificates.iter().map(|one| one.common_name.as_str());
        let ccds = self.ccds.iter().map(|one| one.common_name.as_str());
        let routes = self.routes.iter().filter_map(|one| one.common_name.as_deref());
        certificates.chain(ccds).chain(routes)
    }
}
