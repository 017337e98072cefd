//! Writes of the processor's path: one statement a table, whatever the size of the batch.

use std::collections::BTreeMap;

use domain::event::EventType;
use domain::session::SessionStatus;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::changes::{ChangeKind, Changes};
use super::fresh::{Fresh, FreshEvent};
use super::record::{SessionRecord, signed};
use super::users::Users;
use crate::Error;

/// Columns of a batch, one value a row.
macro_rules! column {
    ($rows:expr, $row:ident => $value:expr) => {
        $rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}

/// Stores the fresh events with the sessions they belong to.
pub(super) async fn events(
    connection: &mut PgConnection,
    fresh: &Fresh<'_>,
    users: &Users<'_>,
    changes: &Changes,
) -> Result<(), Error> {
    let rows = &fresh.events;
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO vpn_event (event_id, event_time, server_id, vpn_user_id, session_id, event_type, boot_id, seq, received_at, body)
        SELECT event_id, event_time, server_id, vpn_user_id, session_id, event_type::event_type, boot_id, seq, received_at, body::jsonb
        FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::bigint[], $5::uuid[], $6::text[], $7::uuid[], $8::bigint[],
            $9::timestamptz[], $10::text[])
            AS n (event_id, event_time, server_id, vpn_user_id, session_id, event_type, boot_id, seq, received_at, body)
        ON CONFLICT DO NOTHING";
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

/// A snapshot belongs to its server, whatever sessions it opened.
fn session_of(row: &FreshEvent<'_>, changes: &Changes) -> Option<Uuid> {
    row.event
        .common_name()
        .and_then(|_| changes.session_of(row.event.event_id))
}

fn body(row: &FreshEvent<'_>) -> String {
    serde_json::to_string(&row.event.sessions).expect("facts of sessions have only string keys")
}

/// Writes every session that has changed, and removes those that were withdrawn.
pub(super) async fn sessions(connection: &mut PgConnection, changes: &Changes) -> Result<(), Error> {
    let records = changes.records.iter();
    let (withdrawn, rows): (Vec<_>, Vec<_>) = records.partition(|(kind, _)| *kind == ChangeKind::Withdrawn);
    if !withdrawn.is_empty() {
        withdraw(
            connection,
            &withdrawn.into_iter().map(|(_, record)| record).collect::<Vec<_>>(),
        )
        .await?;
    }
    if rows.is_empty() {
        Ok(())
    } else {
        upsert(
            connection,
            &rows.into_iter().map(|(_, record)| record).collect::<Vec<_>>(),
        )
        .await
    }
}

async fn withdraw(connection: &mut PgConnection, rows: &[&SessionRecord]) -> Result<(), Error> {
    sqlx::query("DELETE FROM vpn_session WHERE id = ANY($1)")
        .bind(column!(rows, row => row.session.id))
        .execute(&mut *connection)
        .await?;
    let sql = "UPDATE vpn_server_state s SET withdrawn_version = greatest(s.withdrawn_version, n.version)
        FROM (SELECT server_id, max(version) AS version FROM unnest($1::int[], $2::int[]) AS n (server_id, version)
            GROUP BY server_id) n
        WHERE s.server_id = n.server_id";
    sqlx::query(sql)
        .bind(column!(rows, row => row.server_id))
        .bind(column!(rows, row => row.version))
        .execute(connection)
        .await?;
    Ok(())
}

async fn upsert(connection: &mut PgConnection, rows: &[&SessionRecord]) -> Result<(), Error> {
    let sql = "INSERT INTO vpn_session (id, server_id, vpn_user_id, connected_at, last_seen_at, disconnected_at, end_not_after,
            session_status, ended_by, disconnect_reason, opened_by_snapshot, real_ip, real_port, virtual_ip, virtual_ip6,
            bytes_in, bytes_out, bytes_in_base, bytes_out_base, bytes_source, duration_seconds, username, cid,
            client_platform, client_version, client_gui, cipher, version, early_event_at)
        SELECT id, server_id, vpn_user_id, connected_at, last_seen_at, disconnected_at, end_not_after,
            session_status::session_status, ended_by::session_end, disconnect_reason, opened_by_snapshot, real_ip, real_port,
            virtual_ip, virtual_ip6, bytes_in, bytes_out, bytes_in_base, bytes_out_base, bytes_source::bytes_source,
            duration_seconds, username, cid, client_platform, client_version, client_gui, cipher, version, early_event_at
        FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::bool[], $12::inet[], $13::int[], $14::inet[],
            $15::inet[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::bigint[], $22::text[],
            $23::bigint[], $24::text[], $25::text[], $26::text[], $27::text[], $28::int[], $29::timestamptz[])
            AS n (id, server_id, vpn_user_id, connected_at, last_seen_at, disconnected_at, end_not_after, session_status,
                ended_by, disconnect_reason, opened_by_snapshot, real_ip, real_port, virtual_ip, virtual_ip6, bytes_in,
                bytes_out, bytes_in_base, bytes_out_base, bytes_source, duration_seconds, username, cid, client_platform,
                client_version, client_gui, cipher, version, early_event_at)
        ON CONFLICT (id) DO UPDATE SET connected_at = excluded.connected_at, last_seen_at = excluded.last_seen_at,
            disconnected_at = excluded.disconnected_at, end_not_after = excluded.end_not_after,
            session_status = excluded.session_status, ended_by = excluded.ended_by,
            disconnect_reason = excluded.disconnect_reason, opened_by_snapshot = excluded.opened_by_snapshot,
            real_ip = excluded.real_ip, real_port = excluded.real_port, virtual_ip = excluded.virtual_ip,
            virtual_ip6 = excluded.virtual_ip6, bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out,
            bytes_in_base = excluded.bytes_in_base, bytes_out_base = excluded.bytes_out_base,
            bytes_source = excluded.bytes_source, duration_seconds = excluded.duration_seconds,
            username = excluded.username, cid = excluded.cid, client_platform = excluded.client_platform,
            client_version = excluded.client_version, client_gui = excluded.client_gui, cipher = excluded.cipher,
            version = excluded.version, early_event_at = excluded.early_event_at, updated_at = now()
        WHERE vpn_session.server_id = excluded.server_id AND vpn_session.vpn_user_id = excluded.vpn_user_id";
    let written = sqlx::query(sql)
        .bind(column!(rows, row => row.session.id))
        .bind(column!(rows, row => row.server_id))
        .bind(column!(rows, row => row.vpn_user_id))
        .bind(column!(rows, row => row.session.connected_at))
        .bind(column!(rows, row => row.session.last_seen_at))
        .bind(column!(rows, row => disconnected_at(row)))
        .bind(column!(rows, row => row.session.end.map(|end| end.not_after)))
        .bind(column!(rows, row => row.status.as_str()))
        .bind(column!(rows, row => ended_by(row)))
        .bind(column!(rows, row => row.session.disconnect_reason.as_deref()))
        .bind(column!(rows, row => row.session.opened_by_snapshot))
        .bind(column!(rows, row => row.session.real_ip))
        .bind(column!(rows, row => row.session.real_port.map(i32::from)))
        .bind(column!(rows, row => row.session.virtual_ip))
        .bind(column!(rows, row => row.session.virtual_ip6))
        .bind(column!(rows, row => row.session.bytes_in.total().map(signed)))
        .bind(column!(rows, row => row.session.bytes_out.total().map(signed)))
        .bind(column!(rows, row => signed(row.session.bytes_in.base)))
        .bind(column!(rows, row => signed(row.session.bytes_out.base)))
        .bind(column!(rows, row => row.session.bytes_source.map(|source| source.as_str())))
        .bind(column!(rows, row => row.session.duration_seconds.map(signed)))
        .bind(column!(rows, row => row.session.username.as_deref()))
        .bind(column!(rows, row => row.session.cid.map(signed)))
        .bind(column!(rows, row => row.session.client.platform.as_deref()))
        .bind(column!(rows, row => row.session.client.version.as_deref()))
        .bind(column!(rows, row => row.session.client.gui.as_deref()))
        .bind(column!(rows, row => row.session.cipher.as_deref()))
        .bind(column!(rows, row => row.version))
        .bind(column!(rows, row => row.session.early_event_at))
        .execute(connection)
        .await?
        .rows_affected();
    // An agent may name any id; it must not reach the sessions of others by it.
    if written < rows.len() as u64 {
        return Err(Error::refused("a session id belongs to another VPN user or VPN server"));
    }
    Ok(())
}

fn disconnected_at(row: &SessionRecord) -> Option<OffsetDateTime> {
    match row.status {
        SessionStatus::Active => None,
        SessionStatus::Timeout => Some(row.session.last_seen_at),
        SessionStatus::Disconnected => row.session.end.map(|end| end.disconnected_at),
    }
}

fn ended_by(row: &SessionRecord) -> Option<&'static str> {
    match row.status {
        SessionStatus::Active => None,
        SessionStatus::Timeout => Some(domain::session::EndedBy::Timeout.as_str()),
        SessionStatus::Disconnected => row.session.end.map(|end| end.ended_by.as_str()),
    }
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
