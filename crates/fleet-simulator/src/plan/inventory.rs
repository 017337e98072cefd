//! What the servers of the fleet have in store for their VPN users.

use std::net::IpAddr;

use agent_api::{Ccd, Certificate, Inventory, Route, RouteType};
use time::Duration;
use uuid::Uuid;

use super::FleetSettings;
use super::people::{has_static_address, person, users_of};
use super::pool::Pool;

/// People whose certificate of a server has expired or was revoked, and who do not come any more.
const FORMER: usize = 2;
/// Everybody's certificate ends within so many days: some soon.
const VALIDITY_DAYS: usize = 730;

impl FleetSettings {
    /// What the server with this index has in store.
    pub fn inventory(&self, index: usize) -> Inventory {
        let servers = self.servers.len().max(1);
        let users = users_of(index, servers, self.users);
        let former = (0..FORMER).map(|number| self.users as usize + index * FORMER + number);
        let mut inventory = Inventory {
            routes: vec![route(None, RouteType::Push, "192.168.0.0/16", Some("head office"))],
            ..Inventory::default()
        };
        for number in users.iter().copied() {
            inventory.certificates.push(self.certificate(number, "current"));
            if number % 13 == 4 {
                inventory.certificates.push(self.replaced(number));
            }
        }
        for (place, number) in former.enumerate() {
            inventory.certificates.push(match place {
                0 => self.expired(number),
                _ => Certificate {
                    revoked_at: Some(self.start - Duration::days(2)),
                    ..self.certificate(number, "current")
                },
            });
        }
        let pool = Pool::new(index, users.len());
        for number in users.into_iter().filter(|number| has_static_address(*number)) {
            add_branch(&mut inventory, &pool, number);
        }
        inventory
    }

    fn certificate(&self, number: usize, which: &str) -> Certificate {
        let common_name = person(number).common_name;
        let days = i64::try_from(number * 37 % VALIDITY_DAYS).unwrap_or_default();
        Certificate {
            // The same for all servers: it is one person's one certificate.
            serial: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{common_name}/{which}").as_bytes())
                .simple()
                .to_string(),
            common_name,
            expires_at: self.start + Duration::days(10 + days),
            revoked_at: None,
        }
    }

    /// The laptop was lost; there is a new one.
    fn replaced(&self, number: usize) -> Certificate {
        Certificate {
            revoked_at: Some(self.start - Duration::days(40)),
            ..self.certificate(number, "lost")
        }
    }

    fn expired(&self, number: usize) -> Certificate {
        Certificate {
            expires_at: self.start - Duration::days(5),
            ..self.certificate(number, "current")
        }
    }
}

/// A branch office always has the same address, and a network behind it.
fn add_branch(inventory: &mut Inventory, pool: &Pool, number: usize) {
    let common_name = person(number).common_name;
    let place = Pool::fixed(number);
    let v4 = |ip| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    };
    let v6 = |ip| match ip {
        IpAddr::V6(ip) => Some(ip),
        IpAddr::V4(_) => None,
    };
    inventory.ccds.push(Ccd {
        common_name: common_name.clone(),
        ifconfig_ip: place.and_then(|place| v4(pool.virtual_ip(place))),
        ifconfig_netmask: Some([255, 255, 0, 0].into()),
        ifconfig_ip6: place.and_then(|place| v6(pool.virtual_ip6(place))),
        disabled: false,
    });
    let network = format!("172.{}.{}.0/24", 16 + number / 256 % 16, number % 256);
    let behind = route(Some(&common_name), RouteType::Iroute, &network, Some("branch office"));
    inventory.routes.push(behind);
}

fn route(common_name: Option<&str>, route_type: RouteType, network: &str, comment: Option<&str>) -> Route {
    Route {
        common_name: common_name.map(str::to_owned),
        route_type,
        network: network.to_owned(),
        gateway: None,
        comment: comment.map(str::to_owned),
    }
}
