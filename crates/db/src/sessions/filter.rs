use std::net::IpAddr;

use ipnetwork::IpNetwork;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, Iterable, QueryFilter, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::entities::enums::{SessionStatus, UserType};
use crate::entities::{vpn_session, vpn_user};
use crate::{Db, Error, vpn_users};

/// Which sessions are asked for. Parts that are empty do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    pub statuses: Vec<SessionStatus>,
    /// `vpn_server.id`.
    pub server_ids: Vec<i32>,
    pub vpn_user_id: Option<i64>,
    pub user_types: Vec<UserType>,
    /// Part of the VPN user's common name, full name or e-mail.
    pub search: Option<String>,
    /// Holds the real or a virtual address.
    pub network: Option<IpNetwork>,
    /// Holds the real address.
    pub real_network: Option<IpNetwork>,
    /// Holds a virtual address.
    pub virtual_network: Option<IpNetwork>,
    /// These sessions only.
    pub ids: Vec<Uuid>,
    pub connected_from: Option<OffsetDateTime>,
    /// The first instant that is too late.
    pub connected_before: Option<OffsetDateTime>,
}

/// An address or a network in CIDR notation; one that maps IPv4 into IPv6 is IPv4, as it is stored. `None` for anything else.
pub fn parse_network(text: &str) -> Option<IpNetwork> {
    let network: IpNetwork = text.parse().ok()?;
    match (network.ip().to_canonical(), network.prefix()) {
        (IpAddr::V4(mapped), prefix @ 96..) if network.is_ipv6() => IpNetwork::new(mapped.into(), prefix - 96).ok(),
        _ => Some(network),
    }
}

/// A filter by VPN users is applied as a list of ids up to this many, so that the index by user serves it.
const USERS_AS_IDS: u64 = 5_000;

impl SessionFilter {
    /// The condition that sessions must meet; `None` when none can, because no VPN user does.
    pub(super) async fn resolve(&self, db: &Db) -> Result<Option<Condition>, Error> {
        let mut matching = Condition::all();
        if !self.user_types.is_empty() || self.search.is_some() {
            let Some(users) = self.users(db).await? else {
                return Ok(None);
            };
            matching = matching.add(users);
        } else if let Some(user) = self.vpn_user_id {
            matching = matching.add(vpn_session::Column::VpnUserId.eq(user));
        }
        let matching = matching
            .add_option(self.server_condition())
            .add_option(
                self.network
                    .map(|network| holds_real(network).or(holds_virtual(network))),
            )
            .add_option(self.real_network.map(holds_real))
            .add_option(self.virtual_network.map(holds_virtual))
            .add_option((!self.ids.is_empty()).then(|| vpn_session::Column::Id.eq_any(self.ids.clone())))
            .add_option(status_condition(&self.statuses))
            .add_option(
                self.connected_from
                    .map(|from| vpn_session::Column::ConnectedAt.gte(from)),
            )
            .add_option(
                self.connected_before
                    .map(|before| vpn_session::Column::ConnectedAt.lt(before)),
            );
        Ok(Some(matching))
    }

    /// Whether the index by time alone decides which sessions match.
    pub(super) fn is_by_time_only(&self) -> bool {
        let Self {
            connected_from,
            connected_before,
            ..
        } = *self;
        *self
            == Self {
                connected_from,
                connected_before,
                ..Self::default()
            }
    }

    fn server_condition(&self) -> Option<Expr> {
        match self.server_ids.as_slice() {
            [] => None,
            [one] => Some(vpn_session::Column::ServerId.eq(*one)),
            several => Some(vpn_session::Column::ServerId.eq_any(several.to_vec())),
        }
    }

    async fn users(&self, db: &Db) -> Result<Option<Expr>, Error> {
        let condition = Condition::all()
            .add_option(self.vpn_user_id.map(|id| vpn_user::Column::Id.eq(id)))
            .add_option(
                (!self.user_types.is_empty()).then(|| vpn_user::Column::UserType.is_in(self.user_types.clone())),
            )
            .add_option(self.search.as_deref().map(vpn_users::search_condition));
        let ids: Vec<i64> = vpn_user::Entity::find()
            .select_only()
            .column(vpn_user::Column::Id)
            .filter(condition.clone())
            .limit(USERS_AS_IDS + 1)
            .into_tuple()
            .all(&db.connection)
            .await?;
        Ok(match ids.len() as u64 {
            0 => None,
            1 => Some(vpn_session::Column::VpnUserId.eq(ids[0])),
            2..=USERS_AS_IDS => Some(vpn_session::Column::VpnUserId.eq_any(ids)),
            // So many users have so many sessions that any order finds some of them soon.
            _ => Some(
                vpn_session::Column::VpnUserId.in_subquery(
                    Query::select()
                        .column(vpn_user::Column::Id)
                        .from(vpn_user::Entity)
                        .cond_where(condition)
                        .take(),
                ),
            ),
        })
    }
}

/// Written as literals, not as parameters: only so the planner can prove that the index of open sessions applies.
pub(crate) fn status_condition(statuses: &[SessionStatus]) -> Option<Expr> {
    if statuses.is_empty() || SessionStatus::iter().all(|status| statuses.contains(&status)) {
        return None;
    }
    let literals: Vec<&str> = statuses.iter().map(|status| literal(*status)).collect();
    Some(Expr::cust(format!(
        r#""vpn_session"."session_status" IN ({})"#,
        literals.join(", ")
    )))
}

fn literal(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Active => "'active'",
        SessionStatus::Disconnected => "'disconnected'",
        SessionStatus::Timeout => "'timeout'",
    }
}

fn holds_real(network: IpNetwork) -> Expr {
    within(vpn_session::Column::RealIp, network)
}

fn holds_virtual(network: IpNetwork) -> Expr {
    let first = within(vpn_session::Column::VirtualIp, network);
    match network {
        IpNetwork::V4(_) => first,
        IpNetwork::V6(_) => first.or(within(vpn_session::Column::VirtualIp6, network)),
    }
}

/// As a range of addresses, which the indexes serve for any length of prefix.
fn within(column: vpn_session::Column, network: IpNetwork) -> Expr {
    let first = single(network.network());
    let last = single(match network {
        IpNetwork::V4(network) => network.broadcast().into(),
        IpNetwork::V6(network) => network.broadcast().into(),
    });
    if first == last {
        column.eq(first)
    } else {
        column.between(first, last)
    }
}

fn single(address: IpAddr) -> IpNetwork {
    IpNetwork::from(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one() {
        for (text, network) in [
            ("10.8.0.2", "10.8.0.2/32"),
            ("10.8.0.0/24", "10.8.0.0/24"),
            ("fd00::/64", "fd00::/64"),
            ("::ffff:10.8.0.2", "10.8.0.2/32"),
            ("::ffff:10.8.0.0/120", "10.8.0.0/24"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(
                parse_network(text).map(|network| network.to_string()).as_deref(),
                Some(network)
            );
        }
        assert_eq!(parse_network("10.8.0.0/33"), None);
        assert_eq!(parse_network("10.8"), None);
    }
}
