//! The health of VPN servers over time: heartbeats, at most one a minute and server.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use time::OffsetDateTime;

use crate::{Db, Error};

/// The health of a server within a part of the history: the highest of its samples. Unknown is `None`.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct HealthPoint {
    /// When the part begins, our clock.
    pub at: OffsetDateTime,
    pub samples: i64,
    pub cpu_percent: Option<f64>,
    pub memory_percent: Option<f64>,
    pub load_1m: Option<f64>,
    /// Sessions by the daemon's own count.
    pub session_count: Option<i64>,
    /// Active sessions by ours.
    pub active_sessions: i64,
    pub spool_depth: Option<i64>,
    /// The one that is furthest off.
    pub clock_skew_ms: Option<i64>,
}

/// Keeps the last heartbeat of each server as a sample of its minute, unless that minute has one. Returns how many were new.
pub async fn sample(db: &Db) -> Result<u64, Error> {
    let sql =
        "INSERT INTO server_health_sample (server_id, minute, cpu_percent, memory_percent, load_1m, session_count,
            active_sessions, spool_depth, clock_skew_ms)
        SELECT s.server_id, date_trunc('minute', s.last_heartbeat_at), s.cpu_percent, s.memory_percent, s.load_1m,
            s.session_count, (SELECT count(*) FROM vpn_session o WHERE o.server_id = s.server_id
                AND o.session_status <> 'disconnected' AND o.session_status = 'active'), s.spool_depth, s.clock_skew_ms
        FROM vpn_server_state s
        WHERE s.last_heartbeat_at IS NOT NULL AND NOT EXISTS (SELECT FROM server_health_sample k
            WHERE k.server_id = s.server_id AND k.minute = date_trunc('minute', s.last_heartbeat_at))
        ON CONFLICT (server_id, minute) DO NOTHING";
    Ok(db.connection.execute_unprepared(sql).await?.rows_affected())
}

/// Forgets samples from before that time.
pub async fn forget(db: &Db, before: OffsetDateTime) -> Result<u64, Error> {
    let sql = "DELETE FROM server_health_sample WHERE minute < $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [before.into()]);
    Ok(db.connection.execute_raw(statement).await?.rows_affected())
}

/// The health of a server between two instants, in parts of so many minutes, parts without sample left out.
pub async fn history(
    db: &Db,
    server_id: i32,
    from: OffsetDateTime,
    to: OffsetDateTime,
    minutes: u32,
) -> Result<Vec<HealthPoint>, Error> {
    let sql = "SELECT date_bin($4 * interval '1 minute', minute, timestamptz '2000-01-01 00:00:00+00') AS at, count(*) AS samples,
            max(cpu_percent) AS cpu_percent, max(memory_percent) AS memory_percent, max(load_1m) AS load_1m,
            max(session_count) AS session_count, max(active_sessions) AS active_sessions, max(spool_depth) AS spool_depth,
            (array_agg(clock_skew_ms ORDER BY abs(clock_skew_ms::numeric) DESC NULLS LAST))[1] AS clock_skew_ms
        FROM server_health_sample WHERE server_id = $1 AND minute >= $2 AND minute < $3 GROUP BY 1 ORDER BY 1";
    let values = [server_id.into(), from.into(), to.into(), f64::from(minutes).into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(HealthPoint::find_by_statement(statement).all(&db.connection).await?)
}
