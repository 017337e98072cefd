//! Between the bus message and the inventory of the domain.

use std::net::IpAddr;

use domain::inventory::{Ccd, Certificate, Inventory, Route, RouteType};

use crate::convert::{InvalidMessage, address, micros_from_time, octets, time_from_micros};
use crate::proto;

impl From<Inventory> for proto::Inventory {
    fn from(inventory: Inventory) -> Self {
        Self {
            taken_at_us: micros_from_time(inventory.taken_at),
            certificates: inventory.certificates.into_iter().map(Into::into).collect(),
            ccds: inventory.ccds.into_iter().map(Into::into).collect(),
            routes: inventory.routes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Certificate> for proto::Certificate {
    fn from(certificate: Certificate) -> Self {
        Self {
            common_name: certificate.common_name,
            serial: certificate.serial,
            expires_at_us: micros_from_time(certificate.expires_at),
            revoked_at_us: certificate.revoked_at.map(micros_from_time),
        }
    }
}

impl From<Ccd> for proto::Ccd {
    fn from(ccd: Ccd) -> Self {
        Self {
            common_name: ccd.common_name,
            ifconfig_ip: ccd.ifconfig_ip.map(|ip| octets(ip.into())),
            ifconfig_netmask: ccd.ifconfig_netmask.map(|ip| octets(ip.into())),
            ifconfig_ip6: ccd.ifconfig_ip6.map(|ip| octets(ip.into())),
            disabled: ccd.disabled,
        }
    }
}

impl From<Route> for proto::Route {
    fn from(route: Route) -> Self {
        Self {
            common_name: route.common_name,
            route_type: match route.route_type {
                RouteType::Push => proto::RouteType::Push,
                RouteType::Iroute => proto::RouteType::Iroute,
            }
            .into(),
            network: octets(route.network),
            prefix: route.prefix.into(),
            gateway: route.gateway.map(octets),
            comment: route.comment,
        }
    }
}

impl TryFrom<proto::Inventory> for Inventory {
    type Error = InvalidMessage;

    fn try_from(inventory: proto::Inventory) -> Result<Self, InvalidMessage> {
        Ok(Self {
            taken_at: time_from_micros("taken_at_us", inventory.taken_at_us)?,
            certificates: inventory
                .certificates
                .into_iter()
                .map(certificate)
                .collect::<Result<_, _>>()?,
            ccds: inventory.ccds.into_iter().map(ccd).collect::<Result<_, _>>()?,
            routes: inventory.routes.into_iter().map(route).collect::<Result<_, _>>()?,
        })
    }
}

fn certificate(certificate: proto::Certificate) -> Result<Certificate, InvalidMessage> {
    let revoked_at = certificate.revoked_at_us;
    Ok(Certificate {
        common_name: certificate.common_name,
        serial: certificate.serial,
        expires_at: time_from_micros("expires_at_us", certificate.expires_at_us)?,
        revoked_at: revoked_at
            .map(|micros| time_from_micros("revoked_at_us", micros))
            .transpose()?,
    })
}

fn ccd(ccd: proto::Ccd) -> Result<Ccd, InvalidMessage> {
    let v4 = |field, octets| match address(field, octets)? {
        None => Ok(None),
        Some(IpAddr::V4(ip)) => Ok(Some(ip)),
        Some(other) => Err(InvalidMessage::new(field, other)),
    };
    Ok(Ccd {
        common_name: ccd.common_name,
        ifconfig_ip: v4("ifconfig_ip", ccd.ifconfig_ip)?,
        ifconfig_netmask: v4("ifconfig_netmask", ccd.ifconfig_netmask)?,
        ifconfig_ip6: match address("ifconfig_ip6", ccd.ifconfig_ip6)? {
            None => None,
            Some(IpAddr::V6(ip)) => Some(ip),
            Some(other) => return Err(InvalidMessage::new("ifconfig_ip6", other)),
        },
        disabled: ccd.disabled,
    })
}

fn route(route: proto::Route) -> Result<Route, InvalidMessage> {
    let route_type = match proto::RouteType::try_from(route.route_type) {
        Ok(proto::RouteType::Push) => RouteType::Push,
        Ok(proto::RouteType::Iroute) => RouteType::Iroute,
        Ok(proto::RouteType::Unspecified) | Err(_) => return Err(InvalidMessage::new("route_type", route.route_type)),
    };
    let network = address("network", Some(route.network))?;
    Ok(Route {
        common_name: route.common_name,
        route_type,
        network: network.ok_or_else(|| InvalidMessage::new("network", "nothing"))?,
        prefix: u8::try_from(route.prefix).map_err(|_| InvalidMessage::new("prefix", route.prefix))?,
        gateway: address("gateway", route.gateway)?,
        comment: route.comment,
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn inventory() -> Inventory {
        Inventory {
            taken_at: datetime!(2026-02-13 12:00:00.123456 UTC),
            certificates: vec![Certificate {
                common_name: "jdoe".to_owned(),
                serial: "a1b".to_owned(),
                expires_at: datetime!(2029-02-23 21:59:01 UTC),
                revoked_at: Some(datetime!(2026-02-01 0:00 UTC)),
            }],
            ccds: vec![Ccd {
                common_name: "jdoe".to_owned(),
                ifconfig_ip: Some([10, 8, 0, 9].into()),
                ifconfig_netmask: Some([255, 255, 255, 0].into()),
                ifconfig_ip6: Some("fd00::9".parse().unwrap()),
                disabled: true,
            }],
            routes: vec![Route {
                common_name: None,
                route_type: RouteType::Iroute,
                network: "fd42:77::".parse().unwrap(),
                prefix: 64,
                gateway: Some("10.8.0.1".parse().unwrap()),
                comment: Some("x".to_owned()),
            }],
        }
    }

    #[test]
    fn an_inventory_survives_the_bus() {
        assert_eq!(
            Inventory::try_from(proto::Inventory::from(inventory())),
            Ok(inventory())
        );
    }

    #[test]
    fn what_cannot_be_is_named() {
        let field = |change: fn(&mut proto::Inventory)| {
            let mut bad = proto::Inventory::from(inventory());
            change(&mut bad);
            Inventory::try_from(bad).unwrap_err().field
        };
        assert_eq!(field(|bad| bad.routes[0].route_type = 9), "route_type");
        assert_eq!(field(|bad| bad.routes[0].network = vec![1]), "network");
        assert_eq!(field(|bad| bad.routes[0].prefix = 999), "prefix");
        assert_eq!(field(|bad| bad.ccds[0].ifconfig_ip = Some(vec![0; 16])), "ifconfig_ip");
        assert_eq!(field(|bad| bad.ccds[0].ifconfig_ip6 = Some(vec![0; 4])), "ifconfig_ip6");
        assert_eq!(
            field(|bad| bad.certificates[0].expires_at_us = i64::MAX),
            "expires_at_us"
        );
    }
}
