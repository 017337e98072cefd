use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Db, Error};

/// A session that has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    pub id: Uuid,
    pub version: i32,
    pub is_open: bool,
    /// Of an open session: the hour up to which it is counted, or else its connect. Before it there is nothing new.
    pub uncounted_from: Option<OffsetDateTime>,
}

/// Sessions that are open or have ended within the last six hours, and have changed since. Both from their indexes: of others
/// [`changed_in_blocks`] knows.
pub async fn changed_recently(db: &Db, since: OffsetDateTime) -> Result<Vec<Changed>, Error> {
    let sql = "SELECT id, version, true, CASE WHEN bytes_in IS NULL AND bytes_out IS NULL THEN $1
                ELSE coalesce((SELECT max(hour) FROM usage_hour WHERE session_id = id), connected_at) END
            FROM vpn_session WHERE session_status <> 'disconnected' AND updated_at >= $1
        UNION ALL
        SELECT id, version, false, NULL FROM vpn_session WHERE session_status = 'disconnected' AND updated_at >= $1
            AND end_not_after IS NOT NULL AND end_not_after >= now() - interval '6 hours'";
    let rows = sqlx::query(sql)
        .bind(since)
        .fetch_all(db.connection.get_postgres_connection_pool())
        .await?;
    rows.iter().map(read).collect()
}

/// How many blocks the table of sessions has.
pub async fn all_blocks(db: &Db) -> Result<i64, Error> {
    let sql = "SELECT pg_relation_size('vpn_session') / current_setting('block_size')::bigint";
    let row = sqlx::query(sql)
        .fetch_one(db.connection.get_postgres_connection_pool())
        .await?;
    Ok(row.try_get(0)?)
}

/// Sessions in these blocks of the table that have changed since. A walk through all blocks finds every session that had
/// changed before the walk began; one that changes meanwhile may be missed, and is of the next walk.
///
/// There is no index by time of change: it would cost the processor's path more than this walk costs now and then.
pub async fn changed_in_blocks(
    db: &Db,
    since: Option<OffsetDateTime>,
    first: i64,
    blocks: i64,
) -> Result<Vec<Changed>, Error> {
    let sql = "SELECT id, version, session_status <> 'disconnected', NULL::timestamptz FROM vpn_session
        WHERE ctid >= format('(%s,0)', $2::bigint)::tid AND ctid < format('(%s,0)', $3::bigint)::tid
            AND updated_at >= coalesce($1, '-infinity')";
    let rows = sqlx::query(sql)
        .bind(since)
        .bind(first)
        .bind(first + blocks)
        .fetch_all(db.connection.get_postgres_connection_pool())
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<Changed, Error> {
    Ok(Changed {
        id: row.try_get(0)?,
        version: row.try_get(1)?,
        is_open: row.try_get(2)?,
        uncounted_from: row.try_get(3)?,
    })
}
