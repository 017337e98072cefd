use sea_orm::{DbBackend, FromQueryResult, Statement};
use time::{Duration, OffsetDateTime};

use crate::entities::vpn_session;
use crate::{Db, Error};

/// What an event of a session says of its counters: absolute, and lower than before where the daemon began them again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct CounterReading {
    pub at: OffsetDateTime,
    pub bytes_in: Option<i64>,
    pub bytes_out: Option<i64>,
}

/// A session's own events are looked for this far outside of its known life.
const MARGIN: Duration = Duration::hours(1);

/// The counters that a session's own events gave, in the order in which they take effect; the latest `limit` of them.
pub async fn readings(db: &Db, session: &vpn_session::Model, limit: u64) -> Result<Vec<CounterReading>, Error> {
    let sql = "SELECT event_time AS at, (body -> 0 ->> 'bytes_in')::bigint AS bytes_in,
            (body -> 0 ->> 'bytes_out')::bigint AS bytes_out
        FROM vpn_event
        WHERE server_id = $1 AND vpn_user_id = $2 AND session_id = $3 AND event_time >= $4 AND event_time <= $5
            AND body -> 0 ?| ARRAY['bytes_in', 'bytes_out']
        ORDER BY event_time DESC, coalesce(seq, 0) DESC, event_type DESC, event_id DESC LIMIT $6";
    let end = [
        session.end_not_after,
        session.disconnected_at,
        Some(session.last_seen_at),
    ];
    let end = end.into_iter().flatten().max().unwrap_or(session.last_seen_at);
    let values = [
        session.server_id.into(),
        session.vpn_user_id.into(),
        session.id.into(),
        (session.connected_at - MARGIN).into(),
        end.checked_add(MARGIN).unwrap_or(end).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let mut readings = CounterReading::find_by_statement(statement).all(&db.connection).await?;
    readings.reverse();
    Ok(readings)
}
