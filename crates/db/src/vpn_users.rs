//! VPN users as the portal shows them. Whether one is active follows from its sessions.

mod edit;
mod list;

use std::collections::HashMap;

pub use edit::{Edited, MetadataEdit, edit_metadata};
pub use list::{LastSeen, UserFilter, UserOrder, UserSort, VpnStatus, explain_list, list, next_users};

use sea_orm::sea_query::extension::postgres::PgExpr as _;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use crate::entities::enums::SessionStatus;
use crate::entities::{vpn_server, vpn_session, vpn_user, vpn_user_ccd, vpn_user_certificate, vpn_user_route};
use crate::sessions::status_condition;
use crate::{Db, Error};

/// A VPN user with its counts of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    pub user: vpn_user::Model,
    pub active_sessions: u64,
    pub total_sessions: u64,
}

/// A VPN user's static address on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CcdRow {
    pub ccd: vpn_user_ccd::Model,
    pub server_instance: String,
}

/// A VPN user's certificate that a server knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRow {
    pub certificate: vpn_user_certificate::Model,
    pub server_instance: String,
}

/// A VPN user's route on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRow {
    pub route: vpn_user_route::Model,
    pub server_instance: String,
}

/// One VPN user.
pub async fn find(db: &Db, id: i64) -> Result<Option<UserRow>, Error> {
    let user = vpn_user::Entity::find_by_id(id).one(&db.connection).await?;
    Ok(with_counts(db, user.into_iter().collect()).await?.pop())
}

/// What is kept of one VPN user, without its sessions.
pub async fn metadata(db: &Db, id: i64) -> Result<Option<vpn_user::Model>, Error> {
    Ok(vpn_user::Entity::find_by_id(id).one(&db.connection).await?)
}

/// Static addresses of a VPN user, the latest first.
pub async fn ccds(db: &Db, vpn_user_id: i64) -> Result<Vec<CcdRow>, Error> {
    let rows = vpn_user_ccd::Entity::find()
        .find_also_related(vpn_server::Entity)
        .filter(vpn_user_ccd::Column::VpnUserId.eq(vpn_user_id))
        .order_by_desc(vpn_user_ccd::Column::UpdatedAt)
        .all(&db.connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(ccd, server)| CcdRow {
            ccd,
            server_instance: name(server),
        })
        .collect())
}

/// Certificates of a VPN user, the one that expires last first.
pub async fn certificates(db: &Db, vpn_user_id: i64) -> Result<Vec<CertificateRow>, Error> {
    let rows = vpn_user_certificate::Entity::find()
        .find_also_related(vpn_server::Entity)
        .filter(vpn_user_certificate::Column::VpnUserId.eq(vpn_user_id))
        .order_by_desc(vpn_user_certificate::Column::ExpiresAt)
        .order_by_asc(vpn_user_certificate::Column::ServerId)
        .all(&db.connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(certificate, server)| CertificateRow {
            certificate,
            server_instance: name(server),
        })
        .collect())
}

/// Routes of a VPN user, by server and network; also those that the servers it has a certificate or an address on send to all.
pub async fn routes(db: &Db, vpn_user_id: i64) -> Result<Vec<RouteRow>, Error> {
    use vpn_user_route::Column::{ServerId, VpnUserId};
    let certified = vpn_user_certificate::Entity::find()
        .select_only()
        .column(vpn_user_certificate::Column::ServerId)
        .filter(vpn_user_certificate::Column::VpnUserId.eq(vpn_user_id));
    let configured = vpn_user_ccd::Entity::find()
        .select_only()
        .column(vpn_user_ccd::Column::ServerId)
        .filter(vpn_user_ccd::Column::VpnUserId.eq(vpn_user_id));
    let knows = ServerId
        .in_subquery(certified.into_query())
        .or(ServerId.in_subquery(configured.into_query()));
    let rows = vpn_user_route::Entity::find()
        .find_also_related(vpn_server::Entity)
        .filter(VpnUserId.eq(vpn_user_id).or(VpnUserId.is_null().and(knows)))
        .order_by_asc(ServerId)
        .order_by_asc(vpn_user_route::Column::Network)
        .all(&db.connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(route, server)| RouteRow {
            route,
            server_instance: name(server),
        })
        .collect())
}

/// Has `text` in the common name, the full name or the e-mail, whatever the case.
pub(crate) fn search_condition(text: &str) -> Expr {
    use vpn_user::Column::{CommonName, Email, FullName};
    let pattern = format!(
        "%{}%",
        text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
    );
    let matches = |column: vpn_user::Column| Expr::col((vpn_user::Entity, column)).ilike(pattern.clone());
    matches(CommonName).or(matches(FullName)).or(matches(Email))
}

/// Users with their counts: one query for all that are active, one for all totals.
pub(super) async fn with_counts(db: &Db, users: Vec<vpn_user::Model>) -> Result<Vec<UserRow>, Error> {
    let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
    let active = session_counts(db, &ids, status_condition(&[SessionStatus::Active])).await?;
    let total = session_counts(db, &ids, None).await?;
    let row = |user: vpn_user::Model| UserRow {
        active_sessions: active.get(&user.id).copied().unwrap_or_default(),
        total_sessions: total.get(&user.id).copied().unwrap_or_default(),
        user,
    };
    Ok(users.into_iter().map(row).collect())
}

async fn session_counts(db: &Db, ids: &[i64], which: Option<Expr>) -> Result<HashMap<i64, u64>, Error> {
    let counted: Vec<(i64, i64)> = counts_query(ids, which).into_tuple().all(&db.connection).await?;
    Ok(counted
        .into_iter()
        .map(|(id, sessions)| (id, sessions.unsigned_abs()))
        .collect())
}

fn counts_query(ids: &[i64], which: Option<Expr>) -> sea_orm::Select<vpn_session::Entity> {
    vpn_session::Entity::find()
        .select_only()
        .column(vpn_session::Column::VpnUserId)
        .column_as(vpn_session::Column::Id.count(), "sessions")
        .filter(
            Condition::all()
                .add(vpn_session::Column::VpnUserId.eq_any(ids.to_vec()))
                .add_option(which),
        )
        .group_by(vpn_session::Column::VpnUserId)
}

fn name(server: Option<vpn_server::Model>) -> String {
    server.map(|server| server.name).unwrap_or_default()
}
