use sea_orm::sea_query::{Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, DbBackend, FromQueryResult, StatementBuilder};
use serde_json::Value;
use uuid::Uuid;

use super::{SessionRow, find_many};
use crate::entities::vpn_session;
use crate::paging::explain;
use crate::{Db, Error};

/// Sessions that have something in common with one session, without itself, the latest connect first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Related {
    pub same_user: Vec<SessionRow>,
    /// With its virtual address on its VPN server; elsewhere the address is another one.
    pub same_virtual_ip: Vec<SessionRow>,
    /// From its real address.
    pub same_real_ip: Vec<SessionRow>,
}

/// The latest `limit` sessions of each kind.
pub async fn related(db: &Db, session: &vpn_session::Model, limit: u64) -> Result<Related, Error> {
    Ok(Related {
        same_user: fetch(db, Some(of_user(session, limit))).await?,
        same_virtual_ip: fetch(db, of_virtual_ip(session, limit)).await?,
        same_real_ip: fetch(db, of_real_ip(session, limit)).await?,
    })
}

/// The planner's plans for what [`related`] runs.
pub async fn explain_related(db: &Db, session: &vpn_session::Model, limit: u64) -> Result<Vec<Value>, Error> {
    let queries = [
        Some(of_user(session, limit)),
        of_virtual_ip(session, limit),
        of_real_ip(session, limit),
    ];
    let mut plans = Vec::new();
    for query in queries.into_iter().flatten() {
        plans.push(explain(db, &query).await?);
    }
    Ok(plans)
}

/// The latest connects of a VPN user, newest first.
pub async fn latest_of_user(db: &Db, vpn_user_id: i64, limit: u64) -> Result<Vec<SessionRow>, Error> {
    let mut latest = latest(limit);
    latest.and_where(vpn_session::Column::VpnUserId.eq(vpn_user_id));
    fetch(db, Some(latest)).await
}

fn of_user(session: &vpn_session::Model, limit: u64) -> SelectStatement {
    let mut latest = others(session, limit);
    latest
        .and_where(vpn_session::Column::VpnUserId.eq(session.vpn_user_id))
        .take()
}

fn of_virtual_ip(session: &vpn_session::Model, limit: u64) -> Option<SelectStatement> {
    use vpn_session::Column::{ServerId, VirtualIp, VirtualIp6};
    let mut latest = others(session, limit);
    latest.and_where(ServerId.eq(session.server_id));
    match (session.virtual_ip, session.virtual_ip6) {
        (Some(address), _) => latest.and_where(VirtualIp.eq(address)),
        (None, Some(address)) => latest.and_where(VirtualIp6.eq(address)),
        (None, None) => return None,
    };
    Some(latest)
}

fn of_real_ip(session: &vpn_session::Model, limit: u64) -> Option<SelectStatement> {
    let address = session.real_ip?;
    let mut latest = others(session, limit);
    Some(latest.and_where(vpn_session::Column::RealIp.eq(address)).take())
}

fn others(session: &vpn_session::Model, limit: u64) -> SelectStatement {
    latest(limit).and_where(vpn_session::Column::Id.ne(session.id)).take()
}

fn latest(limit: u64) -> SelectStatement {
    Query::select()
        .column(vpn_session::Column::Id)
        .from(vpn_session::Entity)
        .order_by(vpn_session::Column::ConnectedAt, Order::Desc)
        .limit(limit)
        .take()
}

#[derive(FromQueryResult)]
struct Key {
    id: Uuid,
}

async fn fetch(db: &Db, latest: Option<SelectStatement>) -> Result<Vec<SessionRow>, Error> {
    let Some(latest) = latest else {
        return Ok(Vec::new());
    };
    let statement = StatementBuilder::build(&latest, &DbBackend::Postgres);
    let keys = Key::find_by_statement(statement).all(&db.connection).await?;
    let ids: Vec<Uuid> = keys.into_iter().map(|key| key.id).collect();
    find_many(db, &ids).await
}
