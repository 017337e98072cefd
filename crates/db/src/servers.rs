//! VPN servers as the portal shows them: registry, health, boots and gaps.

use std::collections::HashMap;

use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::entities::enums::SessionStatus;
use crate::entities::{event_gap, server_boot, vpn_server, vpn_server_state, vpn_session};
use crate::sessions::status_condition;
use crate::{Db, Error};

/// A VPN server with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerOverview {
    pub server: vpn_server::Model,
    /// None until its agent is heard for the first time.
    pub state: Option<vpn_server_state::Model>,
    pub active_sessions: u64,
    pub gaps: GapCount,
}

/// How much is missing of a server's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GapCount {
    /// Ranges of numbers.
    pub ranges: u64,
    /// Numbers in them.
    pub events: u64,
    /// When the events behind the latest gap happened.
    pub latest: Option<OffsetDateTime>,
}

/// A range of missing events, with its server's name.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct GapRow {
    pub server_id: i32,
    pub server_instance: String,
    pub boot_id: Uuid,
    pub from_seq: i64,
    pub to_seq: i64,
    pub after_time: Option<OffsetDateTime>,
    pub before_time: OffsetDateTime,
}

/// Every VPN server, retired ones too, by name.
pub async fn list(db: &Db) -> Result<Vec<ServerOverview>, Error> {
    overviews(db, Condition::all()).await
}

/// One VPN server.
pub async fn find(db: &Db, id: i32) -> Result<Option<ServerOverview>, Error> {
    Ok(overviews(db, Condition::all().add(vpn_server::Column::Id.eq(id)))
        .await?
        .pop())
}

/// The ids of the servers with these names; names that no server has are left out.
pub async fn ids_by_name(db: &Db, names: &[String]) -> Result<HashMap<String, i32>, Error> {
    let found: Vec<(String, i32)> = vpn_server::Entity::find()
        .select_only()
        .columns([vpn_server::Column::Name, vpn_server::Column::Id])
        .filter(vpn_server::Column::Name.eq_any(names.to_vec()))
        .into_tuple()
        .all(&db.connection)
        .await?;
    Ok(found.into_iter().collect())
}

/// The latest boots of a server, newest first.
pub async fn boots(db: &Db, server_id: i32, limit: u64) -> Result<Vec<server_boot::Model>, Error> {
    let boots = server_boot::Entity::find().filter(server_boot::Column::ServerId.eq(server_id));
    Ok(boots
        .order_by_desc(server_boot::Column::StartedAt)
        .limit(limit)
        .all(&db.connection)
        .await?)
}

/// The latest gaps of a server, newest first.
pub async fn gaps(db: &Db, server_id: i32, limit: u64) -> Result<Vec<GapRow>, Error> {
    let gaps = event_gap::Entity::find().filter(event_gap::Column::ServerId.eq(server_id));
    let newest = gap_rows(gaps)
        .order_by_desc(event_gap::Column::BeforeTime)
        .order_by_desc(event_gap::Column::FromSeq);
    Ok(newest.limit(limit).into_model().all(&db.connection).await?)
}

/// Gaps of these servers (of all, when none is named) in which an event between the two instants may be missing, by
/// server and time.
pub async fn gaps_between(
    db: &Db,
    server_ids: &[i32],
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
) -> Result<Vec<GapRow>, Error> {
    gaps_within(&db.connection, server_ids, from, to).await
}

pub(crate) async fn gaps_within(
    connection: &impl ConnectionTrait,
    server_ids: &[i32],
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
) -> Result<Vec<GapRow>, Error> {
    let not_after = |to: OffsetDateTime| {
        event_gap::Column::AfterTime
            .is_null()
            .or(event_gap::Column::AfterTime.lte(to))
    };
    let touching = Condition::all()
        .add_option((!server_ids.is_empty()).then(|| event_gap::Column::ServerId.eq_any(server_ids.to_vec())))
        .add_option(from.map(|from| event_gap::Column::BeforeTime.gte(from)))
        .add_option(to.map(not_after));
    let rows = gap_rows(event_gap::Entity::find().filter(touching));
    let ordered = rows
        .order_by_asc(event_gap::Column::ServerId)
        .order_by_asc(event_gap::Column::BeforeTime);
    Ok(ordered.into_model().all(connection).await?)
}

fn gap_rows(gaps: sea_orm::Select<event_gap::Entity>) -> sea_orm::Select<event_gap::Entity> {
    gaps.join(JoinType::InnerJoin, event_gap::Relation::Server.def())
        .column_as(vpn_server::Column::Name, "server_instance")
}

async fn overviews(db: &Db, which: Condition) -> Result<Vec<ServerOverview>, Error> {
    let servers = vpn_server::Entity::find()
        .filter(which)
        .order_by_asc(vpn_server::Column::Name)
        .all(&db.connection)
        .await?;
    let ids: Vec<i32> = servers.iter().map(|server| server.id).collect();
    let mut states = states(db, &ids).await?;
    let active = active_sessions(db, &ids).await?;
    let gaps = gap_counts(db, &ids).await?;
    let overview = |server: vpn_server::Model| ServerOverview {
        state: states.remove(&server.id),
        active_sessions: active.get(&server.id).copied().unwrap_or_default(),
        gaps: gaps.get(&server.id).copied().unwrap_or_default(),
        server,
    };
    Ok(servers.into_iter().map(overview).collect())
}

pub(crate) async fn states(db: &Db, ids: &[i32]) -> Result<HashMap<i32, vpn_server_state::Model>, Error> {
    let wanted = vpn_server_state::Column::ServerId.eq_any(ids.to_vec());
    let states = vpn_server_state::Entity::find()
        .filter(wanted)
        .all(&db.connection)
        .await?;
    Ok(states.into_iter().map(|state| (state.server_id, state)).collect())
}

/// Active sessions of each server, from the index of open sessions.
async fn active_sessions(db: &Db, ids: &[i32]) -> Result<HashMap<i32, u64>, Error> {
    let counted: Vec<(i32, i64)> = vpn_session::Entity::find()
        .select_only()
        .column(vpn_session::Column::ServerId)
        .column_as(vpn_session::Column::Id.count(), "sessions")
        .filter(vpn_session::Column::ServerId.eq_any(ids.to_vec()))
        .filter(Condition::all().add_option(status_condition(&[SessionStatus::Active])))
        .group_by(vpn_session::Column::ServerId)
        .into_tuple()
        .all(&db.connection)
        .await?;
    Ok(counted
        .into_iter()
        .map(|(id, sessions)| (id, sessions.unsigned_abs()))
        .collect())
}

pub(crate) async fn gap_counts(db: &Db, ids: &[i32]) -> Result<HashMap<i32, GapCount>, Error> {
    let counted: Vec<(i32, i64, i64, Option<OffsetDateTime>)> = event_gap::Entity::find()
        .select_only()
        .column(event_gap::Column::ServerId)
        .column_as(event_gap::Column::FromSeq.count(), "ranges")
        .expr_as(Expr::cust(r#"sum("to_seq" - "from_seq" + 1)::bigint"#), "events")
        .column_as(event_gap::Column::BeforeTime.max(), "latest")
        .filter(event_gap::Column::ServerId.eq_any(ids.to_vec()))
        .group_by(event_gap::Column::ServerId)
        .into_tuple()
        .all(&db.connection)
        .await?;
    let count = |(id, ranges, events, latest): (i32, i64, i64, _)| {
        (
            id,
            GapCount {
                ranges: ranges.unsigned_abs(),
                events: events.unsigned_abs(),
                latest,
            },
        )
    };
    Ok(counted.into_iter().map(count).collect())
}
