use sqlx::Row;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Db, Error};

/// From when on a session's bytes are counted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// For a session that goes on: nothing before that hour has changed.
    Hour(OffsetDateTime),
    WholeLife,
}

/// How often sessions are counted again when one of them turns out never to have been meanwhile.
const ATTEMPTS: usize = 5;

/// Counts the bytes of these sessions anew. Returns how many hours have changed by that.
///
/// # Errors
/// Nothing was changed then.
pub async fn count(db: &Db, sessions: &[(Uuid, Since)]) -> Result<u64, Error> {
    let mut attempt = 1;
    loop {
        match count_once(db, sessions).await {
            // A session was withdrawn, or another replica counts the same ones.
            Err(Error::Refused(_) | Error::Conflict(_)) if attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

async fn count_once(db: &Db, sessions: &[(Uuid, Since)]) -> Result<u64, Error> {
    let ids: Vec<Uuid> = sessions.iter().map(|(id, _)| *id).collect();
    let hours: Vec<Option<OffsetDateTime>> = sessions
        .iter()
        .map(|(_, since)| match since {
            Since::Hour(at) => Some(*at),
            Since::WholeLife => None,
        })
        .collect();
    let row = sqlx::query(include_str!("count.sql"))
        .bind(ids)
        .bind(hours)
        .fetch_one(db.connection.get_postgres_connection_pool())
        .await?;
    let changed: i64 = row.try_get(0)?;
    Ok(changed.unsigned_abs())
}
