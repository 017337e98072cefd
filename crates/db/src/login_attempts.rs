//! Login attempts: the history, and the lockout that follows from it.
//!
//! An account is locked for one source only, so that nobody can lock somebody else out. Attempts of one account from one
//! source are judged one after the other: of many guesses at once no more count than of many guesses in a row.

mod judge;
mod second_factor;
mod unlock;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sea_orm::prelude::IpNetwork;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use time::{Duration, OffsetDateTime};

use crate::entities::login_attempt as table;
use crate::{Db, Error};

pub use judge::{Credentials, Judgement, judge};
pub use second_factor::{SecondFactor, second_factor_failed};
pub use unlock::unlock;

/// When failures lock an account for their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockoutRules {
    /// This many failures
    pub failures: i64,
    /// within this time
    pub window: Duration,
    /// lock for this long.
    pub lock: Duration,
}

/// An attempt to log in.
#[derive(Debug, Clone)]
pub struct LoginAttempt {
    pub at: OffsetDateTime,
    /// As typed; `None` when it cannot be a username.
    pub username: Option<String>,
    /// The portal user of that name.
    pub portal_user_id: Option<i64>,
    pub ip_address: Option<IpAddr>,
    pub user_agent: Option<String>,
}

impl LoginAttempt {
    fn account(&self) -> String {
        self.username.as_deref().unwrap_or_default().to_ascii_lowercase()
    }
}

/// What failures are counted by: an IPv4 address, or the /64 that an IPv6 host can choose from.
pub fn source_of(address: Option<IpAddr>) -> IpNetwork {
    let network = match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpNetwork::new(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into(), 64)
        }
        Some(address) => Ok(address.into()),
        None => IpNetwork::new(Ipv4Addr::UNSPECIFIED.into(), 32),
    };
    network.expect("the prefix lengths are valid")
}

/// Removes attempts from before then.
pub async fn remove_old(db: &Db, before: OffsetDateTime) -> Result<u64, Error> {
    let removed = table::Entity::delete_many()
        .filter(table::Column::At.lt(before))
        .exec(&db.connection)
        .await?;
    Ok(removed.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_address_or_the_network_that_an_ipv6_host_chooses_from() {
        let source = |text: &str| source_of(Some(text.parse().expect("an address"))).to_string();
        assert_eq!(source("203.0.113.5"), "203.0.113.5/32");
        assert_eq!(source("::ffff:203.0.113.5"), "203.0.113.5/32");
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(source_of(None).to_string(), "0.0.0.0/32");
    }
}
