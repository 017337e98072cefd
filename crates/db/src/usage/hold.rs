use sqlx::Row;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Db, Error};

/// How far the bytes are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Open and recently ended sessions are counted as they were then, by the database's clock.
    pub recent_until: Option<OffsetDateTime>,
    /// Every session is counted as it was then.
    pub all_until: Option<OffsetDateTime>,
}

/// The right to count, for a while.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    pub progress: Progress,
    /// The database's clock.
    pub now: OffsetDateTime,
}

/// Takes or keeps the right to count, so that replicas do not do the same work; `None` while another one has it. Nothing
/// breaks when two count at once.
pub async fn hold(db: &Db, holder: Uuid, seconds: u32) -> Result<Option<Hold>, Error> {
    let sql = "UPDATE usage_progress SET holder = $1, held_until = now() + $2 * interval '1 second'
        WHERE holder = $1 OR held_until < now() RETURNING recent_until, all_until, now()";
    let row = sqlx::query(sql)
        .bind(holder)
        .bind(f64::from(seconds))
        .fetch_optional(db.connection.get_postgres_connection_pool())
        .await?;
    row.map(|row| {
        let progress = Progress {
            recent_until: row.try_get(0)?,
            all_until: row.try_get(1)?,
        };
        Ok(Hold {
            progress,
            now: row.try_get(2)?,
        })
    })
    .transpose()
}

/// Gives the right to count back.
pub async fn release(db: &Db, holder: Uuid) -> Result<(), Error> {
    write(
        db,
        "UPDATE usage_progress SET held_until = '-infinity' WHERE holder = $1",
        holder,
        None,
    )
    .await
}

/// Open and recently ended sessions are counted as they were at `until`.
pub async fn finish_recent(db: &Db, holder: Uuid, until: OffsetDateTime) -> Result<(), Error> {
    let sql = "UPDATE usage_progress SET recent_until = greatest(recent_until, $2) WHERE holder = $1";
    write(db, sql, holder, Some(until)).await
}

/// Every session is counted as it was at `until`.
pub async fn finish_all(db: &Db, holder: Uuid, until: OffsetDateTime) -> Result<(), Error> {
    let sql = "UPDATE usage_progress SET all_until = greatest(all_until, $2), recent_until = greatest(recent_until, $2)
        WHERE holder = $1";
    write(db, sql, holder, Some(until)).await
}

/// How far the bytes are counted.
pub async fn progress(db: &Db) -> Result<Progress, Error> {
    let row = sqlx::query("SELECT recent_until, all_until FROM usage_progress")
        .fetch_optional(db.connection.get_postgres_connection_pool())
        .await?;
    let read = |row: sqlx::postgres::PgRow| {
        Ok(Progress {
            recent_until: row.try_get(0)?,
            all_until: row.try_get(1)?,
        })
    };
    row.map_or_else(|| Ok(Progress::default()), read)
}

async fn write(db: &Db, sql: &'static str, holder: Uuid, until: Option<OffsetDateTime>) -> Result<(), Error> {
    let statement = sqlx::query(sql).bind(holder);
    let statement = match until {
        Some(until) => statement.bind(until),
        None => statement,
    };
    statement.execute(db.connection.get_postgres_connection_pool()).await?;
    Ok(())
}
