//! Writes of the processor's path: one statement a table, whatever the size of the batch.

use std::collections::BTreeMap;

use domain::event::EventType;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::changes::{ChangeKind, Changes};
use super::copy::{self, Rows};
use super::fresh::{Fresh, FreshEvent};
use super::record::signed;
use super::users::Users;
use crate::Error;

/// Columns of a batch, one value a row.
macro_rules! column {
    ($rows:expr, $row:ident => $value:expr) => {
        $rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}

mod sessions;

pub(super) use sessions::sessions;

/// Stores the fresh events with the sessions they belong to.
pub(super) async fn events(
    connection: &mut PgConnection,
    fresh: &Fresh<'_>,
    users: &Users<'_>,
    changes: &Changes,
) -> Result<(), Error> {
    let stored = match fresh.events.len() {
        0 => Ok(()),
        1..copy::WORTHWHILE => insert_events(connection, fresh, users, changes).await,
        _ => copy_events(connection, fresh, users, changes).await,
    };
    // Another server's event with this id and time, stored since this batch was looked up: it is a duplicate the next time.
    stored.map_err(Error::or_conflict)
}

async fn copy_events(
    connection: &mut PgConnection,
    fresh: &Fresh<'_>,
    users: &Users<'_>,
    changes: &Changes,
) -> Result<(), Error> {
    let mut copied = Rows::new(10);
    for row in &fresh.events {
        let event = row.event;
        copied.begin_row();
        copied.push(event.event_id);
        copied.push(event.event_time);
        copied.push(row.server_id);
        copied.push(event.common_name().map(|name| users.id(name)));
        copied.push(session_of(row, changes));
        copied.push(event.event_type.as_str());
        copied.push(event.boot_id);
        copied.push(event.seq.map(signed));
        copied.push(fresh.requests[row.request].received_at);
        copied.push_json(&event.sessions);
    }
    let sql = "COPY vpn_event (event_id, event_time, server_id, vpn_user_id, session_id, event_type, boot_id, seq, received_at, body)
        FROM STDIN (FORMAT binary)";
    copied.copy(connection, sql).await
}

async fn insert_events(
    connection: &mut PgConnection,
    fresh: &Fresh<'_>,
    users: &Users<'_>,
    changes: &Changes,
) -> Result<(), Error> {
    let rows = &fresh.events;
    let sql = "INSERT INTO vpn_event (event_id, event_time, server_id, vpn_user_id, session_id, event_type, boot_id, seq, received_at, body)
        SELECT event_id, event_time, server_id, vpn_user_id, session_id, event_type::event_type, boot_id, seq, received_at, body::jsonb
        FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::bigint[], $5::uuid[], $6::text[], $7::uuid[], $8::bigint[],
            $9::timestamptz[], $10::text[])
            AS n (event_id, event_time, server_id, vpn_user_id, session_id, event_type, boot_id, seq, received_at, body)";
    sqlx::query(sql)
        .bind(column!(rows, row => row.event.event_id))
        .bind(column!(rows, row => row.event.event_time))
        .bind(column!(rows, row => row.server_id))
        .bind(column!(rows, row => row.event.common_name().map(|name| users.id(name))))
        .bind(column!(rows, row => session_of(row, changes)))
        .bind(column!(rows, row => row.event.event_type.as_str()))
        .bind(column!(rows, row => row.event.boot_id))
        .bind(column!(rows, row => row.event.seq.map(signed)))
        .bind(column!(rows, row => fresh.requests[row.request].received_at))
        .bind(column!(rows, row => body(row)))
        .execute(connection)
        .await?;
    Ok(())
}

fn body(row: &FreshEvent<'_>) -> String {
    serde_json::to_string(&row.event.sessions).expect("facts of sessions have only string keys")
}

/// A snapshot belongs to its server, whatever sessions it opened.
fn session_of(row: &FreshEvent<'_>, changes: &Changes) -> Option<Uuid> {
    row.event
        .common_name()
        .and_then(|_| changes.session_of(row.event.event_id))
}

/// An event that waits for its session.
#[derive(Debug, Clone)]
pub(super) struct Unmatched {
    pub(super) event_id: Uuid,
    pub(super) server_id: i32,
    pub(super) vpn_user_id: i64,
    pub(super) event_time: OffsetDateTime,
    pub(super) event_type: EventType,
    pub(super) session_id: Option<Uuid>,
}

/// Notes which events wait for their session, which wait no longer, and which stored events belong to another session now.
pub(super) async fn unmatched(
    connection: &mut PgConnection,
    fresh: &Fresh<'_>,
    users: &Users<'_>,
    changes: &Changes,
) -> Result<(), Error> {
    let mut rows = changes.lost.clone();
    for item in fresh
        .events
        .iter()
        .filter(|item| changes.is_unmatched(item.event.event_id))
    {
        let Some(name) = item.event.common_name() else { continue };
        rows.push(Unmatched {
            event_id: item.event.event_id,
            server_id: item.server_id,
            vpn_user_id: users.id(name),
            event_time: item.event.event_time,
            event_type: item.event.event_type,
            session_id: item.event.sessions[0].session_id,
        });
    }
    insert_unmatched(connection, &rows).await?;
    if !changes.found.is_empty() {
        let sql = "DELETE FROM unmatched_event WHERE event_id = ANY($1)";
        sqlx::query(sql).bind(&changes.found).execute(&mut *connection).await?;
    }
    rematch(connection, changes).await
}

async fn insert_unmatched(connection: &mut PgConnection, rows: &[Unmatched]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO unmatched_event (event_id, server_id, vpn_user_id, event_time, event_type, session_id)
        SELECT event_id, server_id, vpn_user_id, event_time, event_type::event_type, session_id
        FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::timestamptz[], $5::text[], $6::uuid[])
            AS n (event_id, server_id, vpn_user_id, event_time, event_type, session_id)
        ON CONFLICT DO NOTHING";
    sqlx::query(sql)
        .bind(column!(rows, row => row.event_id))
        .bind(column!(rows, row => row.server_id))
        .bind(column!(rows, row => row.vpn_user_id))
        .bind(column!(rows, row => row.event_time))
        .bind(column!(rows, row => row.event_type.as_str()))
        .bind(column!(rows, row => row.session_id))
        .execute(connection)
        .await?;
    Ok(())
}

async fn rematch(connection: &mut PgConnection, changes: &Changes) -> Result<(), Error> {
    let rows = &changes.rematched;
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE vpn_event e SET session_id = n.session_id
        FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) AS n (event_id, event_time, session_id)
        WHERE e.event_id = n.event_id AND e.event_time = n.event_time";
    sqlx::query(sql)
        .bind(column!(rows, row => row.event_id))
        .bind(column!(rows, row => row.event_time))
        .bind(column!(rows, row => row.session_id))
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves the VPN users' last sighting forward.
pub(super) async fn last_seen(connection: &mut PgConnection, changes: &Changes) -> Result<(), Error> {
    let mut seen: BTreeMap<i64, OffsetDateTime> = BTreeMap::new();
    for (_, record) in changes
        .records
        .iter()
        .filter(|(kind, _)| *kind != ChangeKind::Withdrawn)
    {
        let at = record.session.last_seen_at;
        seen.entry(record.vpn_user_id)
            .and_modify(|known| *known = at.max(*known))
            .or_insert(at);
    }
    if seen.is_empty() {
        return Ok(());
    }
    // Locked in the order of ids: replicas see the same users from different servers.
    let sql = "WITH later AS (
            SELECT u.id, n.seen_at FROM unnest($1::bigint[], $2::timestamptz[]) AS n (id, seen_at) JOIN vpn_user u USING (id)
            WHERE u.last_vpn_seen_at IS NULL OR u.last_vpn_seen_at < n.seen_at ORDER BY u.id FOR NO KEY UPDATE OF u)
        UPDATE vpn_user u SET last_vpn_seen_at = l.seen_at FROM later l WHERE u.id = l.id";
    sqlx::query(sql)
        .bind(seen.keys().copied().collect::<Vec<_>>())
        .bind(seen.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
