//! Events as the portal shows them: those of a session, and those that wait for one.

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::entities::enums::EventType;
use crate::entities::{unmatched_event, vpn_event, vpn_server, vpn_session, vpn_user};
use crate::paging::{Page, PageRequest, TimeCursor, TimeKey, TimeList};
use crate::{Db, Error};

/// An event that waits for the session it speaks of.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct UnmatchedRow {
    pub event_id: Uuid,
    pub event_time: OffsetDateTime,
    pub event_type: EventType,
    pub server_instance: String,
    pub vpn_user_id: i64,
    pub common_name: String,
    pub seq: Option<i64>,
    pub boot_id: Option<Uuid>,
    pub received_at: Option<OffsetDateTime>,
    /// What the event says of its session.
    pub body: Option<Value>,
}

/// A session's own events are looked for this far outside of its known life: they decide that life.
const MARGIN: Duration = Duration::hours(1);

/// The latest `limit` events matched to a session, in the order in which they happened.
pub async fn of_session(db: &Db, session: &vpn_session::Model, limit: u64) -> Result<Vec<vpn_event::Model>, Error> {
    use vpn_event::Column;
    let end = [
        session.end_not_after,
        session.disconnected_at,
        Some(session.last_seen_at),
    ]
    .into_iter()
    .max()
    .flatten();
    let ended = session.ended_by.is_some();
    let mut events = vpn_event::Entity::find()
        .filter(Column::ServerId.eq(session.server_id))
        .filter(Column::VpnUserId.eq(session.vpn_user_id))
        .filter(Column::SessionId.eq(session.id))
        .filter(Column::EventTime.gte(session.connected_at - MARGIN));
    if let Some(end) = end.filter(|_| ended) {
        events = events.filter(Column::EventTime.lte(end + MARGIN));
    }
    let latest = events
        .order_by_desc(Column::EventTime)
        .order_by_desc(Column::Seq)
        .order_by_desc(Column::EventType);
    let mut events = latest.limit(limit).all(&db.connection).await?;
    events.reverse();
    Ok(events)
}

/// Starts, stops and snapshots of a server at exactly these instants: what proves or disproves the life of sessions.
pub async fn of_server_at(
    db: &Db,
    server_id: i32,
    instants: &[OffsetDateTime],
) -> Result<Vec<vpn_event::Model>, Error> {
    use vpn_event::Column;
    let events = vpn_event::Entity::find()
        .filter(Column::ServerId.eq(server_id))
        .filter(Column::VpnUserId.is_null())
        .filter(Column::EventTime.is_in(instants.to_vec()));
    Ok(events
        .order_by_asc(Column::EventTime)
        .limit(50)
        .all(&db.connection)
        .await?)
}

/// Sessions of a server that connected at exactly this instant: one of them may have taken another's address or name.
pub async fn sessions_begun_at(db: &Db, server_id: i32, at: OffsetDateTime) -> Result<Vec<vpn_session::Model>, Error> {
    let begun = vpn_session::Entity::find()
        .filter(vpn_session::Column::ServerId.eq(server_id))
        .filter(vpn_session::Column::ConnectedAt.eq(at));
    Ok(begun.limit(50).all(&db.connection).await?)
}

/// Events that wait for their session, newest first.
pub async fn unmatched(
    db: &Db,
    server_ids: &[i32],
    request: &PageRequest<TimeCursor>,
) -> Result<Page<UnmatchedRow, TimeCursor>, Error> {
    use unmatched_event::Column;
    let mut waiting = Query::select().from(unmatched_event::Entity).take();
    if !server_ids.is_empty() {
        waiting.and_where(Column::ServerId.eq_any(server_ids.to_vec()));
    }
    let keys = TimeList::new(
        waiting,
        (unmatched_event::Entity, Column::EventTime),
        (unmatched_event::Entity, Column::EventId),
        true,
    );
    let page = keys.page(db, request).await?;
    Ok(Page {
        rows: unmatched_rows(db, &page.rows).await?,
        total: page.total,
        next: page.next,
    })
}

async fn unmatched_rows(db: &Db, keys: &[TimeKey]) -> Result<Vec<UnmatchedRow>, Error> {
    use unmatched_event::Column;
    let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
    let rows = unmatched_event::Entity::find()
        .join(JoinType::InnerJoin, unmatched_event::Relation::Server.def())
        .join(JoinType::InnerJoin, unmatched_event::Relation::VpnUser.def())
        .join(JoinType::LeftJoin, unmatched_event::Relation::Event.def())
        .column_as(vpn_server::Column::Name, "server_instance")
        .column_as(vpn_user::Column::CommonName, "common_name")
        .columns([
            vpn_event::Column::Seq,
            vpn_event::Column::BootId,
            vpn_event::Column::ReceivedAt,
            vpn_event::Column::Body,
        ])
        .filter(Column::EventId.eq_any(ids))
        .order_by_desc(Column::EventTime)
        .order_by_desc(Column::EventId);
    Ok(rows.into_model().all(&db.connection).await?)
}
