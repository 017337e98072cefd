//! How many sessions were active, and how a VPN user used the VPN.

use sea_orm::{DbBackend, FromQueryResult, Statement};
use serde_json::Value;
use time::{Date, OffsetDateTime};

use crate::paging::explain_statement;
use crate::{Db, Error};

/// What happened within an hour in which something did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct HourActivity {
    pub hour: OffsetDateTime,
    /// Sessions that connected.
    pub connects: i64,
    /// Sessions that ended.
    pub ends: i64,
    /// Most sessions that were active at once after a connect or an end of this hour.
    pub most_active: i64,
    /// Active sessions after the last of them.
    pub last_active: i64,
}

/// Activity between two instants, by UTC hour, hours without connect or end left out. What was active at `from` counts as
/// `most_active` of its hour. A session ends at `disconnected_at`; one that only lacks proof of life ended at the last one.
pub async fn by_hour(
    db: &Db,
    server_ids: &[i32],
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<Vec<HourActivity>, Error> {
    let statement = by_hour_statement(server_ids, from, to);
    Ok(HourActivity::find_by_statement(statement).all(&db.connection).await?)
}

/// The planner's plan for what [`by_hour`] runs.
pub async fn explain_by_hour(
    db: &Db,
    server_ids: &[i32],
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<Value, Error> {
    explain_statement(db, by_hour_statement(server_ids, from, to)).await
}

fn by_hour_statement(server_ids: &[i32], from: OffsetDateTime, to: OffsetDateTime) -> Statement {
    let sql = "WITH life AS (
            SELECT connected_at, disconnected_at FROM vpn_session
            WHERE connected_at >= $1 AND connected_at < $2 AND ($3::int[] IS NULL OR server_id = ANY ($3))
            UNION ALL
            SELECT connected_at, disconnected_at FROM vpn_session
            WHERE session_status <> 'disconnected' AND connected_at < $1 AND (disconnected_at IS NULL OR disconnected_at > $1)
                AND ($3::int[] IS NULL OR server_id = ANY ($3))
            UNION ALL
            SELECT connected_at, disconnected_at FROM vpn_session
            WHERE session_status = 'disconnected' AND end_not_after >= $1 AND end_not_after IS NOT NULL AND connected_at < $1
                AND disconnected_at > $1 AND ($3::int[] IS NULL OR server_id = ANY ($3))
        ), change AS (
            SELECT greatest(connected_at, $1) AS at, (connected_at >= $1)::int AS connects, 0 AS ends, 1 AS active FROM life
            UNION ALL
            SELECT disconnected_at, 0, 1, -1 FROM life WHERE disconnected_at < $2
        ), instant AS (
            SELECT at, sum(connects) AS connects, sum(ends) AS ends, sum(sum(active)) OVER (ORDER BY at) AS active
            FROM change GROUP BY at
        )
        SELECT date_trunc('hour', at) AS hour, sum(connects)::bigint AS connects, sum(ends)::bigint AS ends,
            max(active)::bigint AS most_active, (array_agg(active ORDER BY at DESC))[1]::bigint AS last_active
        FROM instant GROUP BY 1 ORDER BY 1";
    let servers = (!server_ids.is_empty()).then(|| server_ids.to_vec());
    let values = [from.into(), to.into(), servers.into()];
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// A VPN user's UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct UserDay {
    pub day: Date,
    /// Sessions that connected.
    pub sessions: i64,
    pub bytes_in: i64,
    pub bytes_out: i64,
}

/// The days of a VPN user since then, days without a connect and without bytes left out.
pub async fn of_user(db: &Db, vpn_user_id: i64, since: OffsetDateTime) -> Result<Vec<UserDay>, Error> {
    let statement = of_user_statement(vpn_user_id, since);
    Ok(UserDay::find_by_statement(statement).all(&db.connection).await?)
}

/// The planner's plan for what [`of_user`] runs.
pub async fn explain_of_user(db: &Db, vpn_user_id: i64, since: OffsetDateTime) -> Result<Value, Error> {
    explain_statement(db, of_user_statement(vpn_user_id, since)).await
}

fn of_user_statement(vpn_user_id: i64, since: OffsetDateTime) -> Statement {
    let sql = "WITH own AS MATERIALIZED (
            SELECT id, connected_at FROM vpn_session WHERE vpn_user_id = $1 AND (connected_at >= $2 OR last_seen_at >= $2)
        ), part AS (
            SELECT connected_at AS at, 1 AS sessions, 0::bigint AS bytes_in, 0::bigint AS bytes_out FROM own
            WHERE connected_at >= $2
            UNION ALL
            SELECT u.hour, 0, u.bytes_in, u.bytes_out FROM own JOIN usage_hour u ON u.session_id = own.id
            WHERE u.hour >= date_trunc('hour', $2)
        )
        SELECT (at AT TIME ZONE 'UTC')::date AS day, sum(sessions)::bigint AS sessions,
            least(sum(bytes_in), 9223372036854775807)::bigint AS bytes_in,
            least(sum(bytes_out), 9223372036854775807)::bigint AS bytes_out
        FROM part GROUP BY 1 ORDER BY 1";
    Statement::from_sql_and_values(DbBackend::Postgres, sql, [vpn_user_id.into(), since.into()])
}
