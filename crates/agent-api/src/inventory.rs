//! Body of `PUT /api/v1/inventory`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use time::OffsetDateTime;

use crate::{optional_rfc3339, rfc3339};

/// What a VPN server has in store for its VPN users, apart from who sends it and when it was taken. What a later one does not
/// have any more is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    pub certificates: Vec<Certificate>,
    pub ccds: Vec<Ccd>,
    pub routes: Vec<Route>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    pub common_name: String,
    /// Hexadecimal.
    pub serial: String,
    #[serde(serialize_with = "rfc3339")]
    pub expires_at: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_rfc3339")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// A VPN user's file in the client configuration directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ccd {
    pub common_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ifconfig_ip: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ifconfig_netmask: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ifconfig_ip6: Option<Ipv6Addr>,
    /// The VPN server turns this VPN user away.
    pub disabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Missing: the VPN server sends it to all of its clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    pub route_type: RouteType,
    /// `10.1.0.0/16`
    pub network: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteType {
    Push,
    Iroute,
}

impl Route {
    /// What a file says, of a VPN user or of all.
    pub fn of(common_name: Option<&str>, route: &openvpn::routes::Route) -> Self {
        Self {
            common_name: common_name.map(str::to_owned),
            route_type: match route.kind {
                openvpn::routes::RouteKind::Push => RouteType::Push,
                openvpn::routes::RouteKind::Iroute => RouteType::Iroute,
            },
            network: route.network.to_string(),
            gateway: route.gateway,
            comment: route.comment.clone(),
        }
    }
}

/// The body as it is sent.
#[derive(Debug, Serialize)]
pub struct InventoryBody<'a> {
    pub server_id: &'a str,
    #[serde(serialize_with = "rfc3339")]
    pub sent_at: OffsetDateTime,
    /// Later in each inventory of a server than in the one before.
    #[serde(serialize_with = "rfc3339")]
    pub taken_at: OffsetDateTime,
    #[serde(flatten)]
    pub inventory: &'a Inventory,
}
