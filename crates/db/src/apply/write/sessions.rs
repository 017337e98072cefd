//! Writes of the sessions that a batch has changed.

use std::collections::HashSet;

use domain::session::{Session, SessionStatus};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Error;
use crate::apply::changes::{ChangeKind, Changes};
use crate::apply::copy::{self, Rows};
use crate::apply::record::{SessionRecord, signed};

/// Writes every session that has changed, and removes those that were withdrawn. `new` are the ids that no stored session has.
pub(in crate::apply) async fn sessions(
    connection: &mut PgConnection,
    changes: &Changes,
    new: &HashSet<Uuid>,
) -> Result<(), Error> {
    let (mut withdrawn, mut opened, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, record) in &changes.records {
        match kind {
            ChangeKind::Withdrawn => withdrawn.push(record),
            _ if new.contains(&record.session.id) => opened.push(record),
            _ => others.push(record),
        }
    }
    if !withdrawn.is_empty() {
        withdraw(connection, &withdrawn).await?;
    }
    if opened.len() < copy::WORTHWHILE {
        others.append(&mut opened);
    } else {
        insert(connection, &opened).await?;
    }
    if !others.is_empty() {
        upsert(connection, &others).await?;
    }
    Ok(())
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

/// The columns of [`insert`], in its order.
const COPY: &str = "COPY vpn_session (id, server_id, vpn_user_id, connected_at, last_seen_at, disconnected_at, end_not_after,
    session_status, ended_by, disconnect_reason, opened_by_snapshot, real_ip, real_port, virtual_ip, virtual_ip6, bytes_in,
    bytes_out, bytes_in_base, bytes_out_base, bytes_source, duration_seconds, username, cid, client_platform, client_version,
    client_gui, cipher, version, early_event_at) FROM STDIN (FORMAT binary)";

async fn insert(connection: &mut PgConnection, records: &[&SessionRecord]) -> Result<(), Error> {
    let mut rows = Rows::new(29);
    for record in records {
        rows.begin_row();
        push(&mut rows, record, &record.session);
    }
    rows.copy(connection, COPY).await
}

fn push(rows: &mut Rows, record: &SessionRecord, session: &Session) {
    rows.push(session.id);
    rows.push(record.server_id);
    rows.push(record.vpn_user_id);
    rows.push(session.connected_at);
    rows.push(session.last_seen_at);
    rows.push(disconnected_at(record));
    rows.push(session.end.map(|end| end.not_after));
    rows.push(record.status.as_str());
    rows.push(ended_by(record));
    rows.push(session.disconnect_reason.as_deref());
    rows.push(session.opened_by_snapshot);
    rows.push(session.real_ip);
    rows.push(session.real_port.map(i32::from));
    rows.push(session.virtual_ip);
    rows.push(session.virtual_ip6);
    rows.push(session.bytes_in.total().map(signed));
    rows.push(session.bytes_out.total().map(signed));
    rows.push(signed(session.bytes_in.base));
    rows.push(signed(session.bytes_out.base));
    rows.push(session.bytes_source.map(|source| source.as_str()));
    rows.push(session.duration_seconds.map(signed));
    rows.push(session.username.as_deref());
    rows.push(session.cid.map(signed));
    rows.push(session.client.platform.as_deref());
    rows.push(session.client.version.as_deref());
    rows.push(session.client.gui.as_deref());
    rows.push(session.cipher.as_deref());
    rows.push(record.version);
    rows.push(session.early_event_at);
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
