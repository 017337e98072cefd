use std::net::IpAddr;

use ipnetwork::IpNetwork;
use sea_orm::sea_query::extension::postgres::PgExpr;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use time::OffsetDateTime;

use super::Action;

/// Which entries are asked for. Parts that are empty do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub from: Option<OffsetDateTime>,
    /// The first instant that is too late.
    pub before: Option<OffsetDateTime>,
    /// The actor's name, in any case.
    pub actor: Option<String>,
    pub actor_portal_user_id: Option<i64>,
    pub actions: Vec<Action>,
    pub object_types: Vec<String>,
    pub object_id: Option<String>,
    /// Holds the actor's address.
    pub network: Option<IpNetwork>,
    /// Part of the details, in any case.
    pub text: Option<String>,
}

impl AuditFilter {
    /// Whether every entry matches.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the index by time alone decides which entries match.
    pub(super) fn is_by_time_only(&self) -> bool {
        let Self { from, before, .. } = *self;
        *self
            == Self {
                from,
                before,
                ..Self::default()
            }
    }

    pub(super) fn condition(&self) -> Condition {
        let actor = |name: &String| Expr::cust_with_values("lower(audit_log.actor_name) = lower($1)", [name.as_str()]);
        Condition::all()
            .add_option(self.from.map(|from| column("created_at").gte(from)))
            .add_option(self.before.map(|before| column("created_at").lt(before)))
            .add_option(self.actor.as_ref().map(actor))
            .add_option(
                self.actor_portal_user_id
                    .map(|id| column("actor_portal_user_id").eq(id)),
            )
            .add_option(one_of("action", self.actions.iter().map(|action| action.as_str())))
            .add_option(one_of("object_type", self.object_types.iter().map(String::as_str)))
            .add_option(self.object_id.as_deref().map(|id| column("object_id").eq(id)))
            .add_option(self.network.map(holds_address))
            .add_option(self.text.as_deref().map(has_text))
    }
}

fn column(name: &'static str) -> Expr {
    Expr::col(("audit_log", name))
}

fn one_of<'v>(name: &'static str, values: impl Iterator<Item = &'v str>) -> Option<Expr> {
    let values: Vec<&str> = values.collect();
    match values.as_slice() {
        [] => None,
        [one] => Some(column(name).eq(*one)),
        _ => Some(column(name).is_in(values)),
    }
}

/// As a range of addresses, which the index serves for any length of prefix.
fn holds_address(network: IpNetwork) -> Expr {
    let first = IpNetwork::from(network.network());
    let last: IpAddr = match network {
        IpNetwork::V4(network) => network.broadcast().into(),
        IpNetwork::V6(network) => network.broadcast().into(),
    };
    match IpNetwork::from(last) {
        last if last == first => column("ip_address").eq(first),
        last => column("ip_address").between(first, last),
    }
}

fn has_text(text: &str) -> Expr {
    let escaped = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    Expr::cust("(audit_log.details_json::text)").ilike(format!("%{escaped}%"))
}
