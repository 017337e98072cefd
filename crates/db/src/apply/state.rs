use std::collections::{BTreeMap, BTreeSet};

use domain::event::EventType;
use domain::wire::Heartbeat;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Request;
use super::fresh::Fresh;
use super::ledger::Boots;
use super::record::signed;
use crate::{Db, Error};

/// How far a server has come; its row is locked until the transaction ends.
#[derive(Debug, Clone)]
pub(super) struct ServerState {
    pub(super) name: String,
    pub(super) duplicate_cn: bool,
    pub(super) last_event_at: Option<OffsetDateTime>,
    /// The latest start, stop, boot or snapshot: what reaches every track of the server.
    pub(super) last_shared_at: Option<OffsetDateTime>,
    /// The highest version of any session that was withdrawn.
    pub(super) withdrawn_version: i32,
    /// When the inventory that is stored was taken.
    pub(super) inventory_at: Option<OffsetDateTime>,
}

/// Locks the servers that the batch speaks of, in the order of their ids.
pub(super) async fn lock(
    connection: &mut PgConnection,
    requests: &[Request],
) -> Result<BTreeMap<i32, ServerState>, Error> {
    let ids: Vec<i32> = requests
        .iter()
        .map(|request| request.server_id)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut states = select_for_update(connection, &ids).await?;
    if states.len() < ids.len() {
        let sql = "INSERT INTO vpn_server_state (server_id) SELECT id FROM vpn_server WHERE id = ANY($1) ORDER BY id
            ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(&ids).execute(&mut *connection).await?;
        states = select_for_update(connection, &ids).await?;
    }
    match ids.iter().find(|id| !states.contains_key(id)) {
        Some(unknown) => Err(Error::refused(format!("there is no VPN server with id {unknown}"))),
        None => Ok(states),
    }
}

async fn select_for_update(connection: &mut PgConnection, ids: &[i32]) -> Result<BTreeMap<i32, ServerState>, Error> {
    let sql = "SELECT s.server_id, v.name, v.duplicate_cn, s.last_event_at, s.last_shared_at, s.withdrawn_version, s.inventory_at
        FROM vpn_server_state s JOIN vpn_server v ON v.id = s.server_id
        WHERE s.server_id = ANY($1) ORDER BY s.server_id FOR NO KEY UPDATE OF s";
    let rows = sqlx::query(sql).bind(ids).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let state = ServerState {
                name: row.try_get(1)?,
                duplicate_cn: row.try_get(2)?,
                last_event_at: row.try_get(3)?,
                last_shared_at: row.try_get(4)?,
                withdrawn_version: row.try_get(5)?,
                inventory_at: row.try_get(6)?,
            };
            Ok((row.try_get(0)?, state))
        })
        .collect()
}

/// What a batch adds to the state of one server.
#[derive(Default)]
struct Advance<'a> {
    last_heard_at: Option<OffsetDateTime>,
    last_event_at: Option<OffsetDateTime>,
    last_shared_at: Option<OffsetDateTime>,
    last_proof_at: Option<OffsetDateTime>,
    clock_skew_ms: Option<i64>,
    heartbeat: Option<(OffsetDateTime, &'a Heartbeat)>,
}

fn raise(mark: &mut Option<OffsetDateTime>, at: OffsetDateTime) {
    *mark = Some(mark.map_or(at, |known| known.max(at)));
}

/// Moves the servers' states forward by what the batch brought.
pub(super) async fn advance(
    connection: &mut PgConnection,
    servers: &mut BTreeMap<i32, ServerState>,
    requests: &[Request],
    fresh: &Fresh<'_>,
    boots: &Boots,
) -> Result<(), Error> {
    let mut advances: BTreeMap<i32, Advance<'_>> = servers.keys().map(|id| (*id, Advance::default())).collect();
    for request in requests {
        let advance = advances.entry(request.server_id).or_default();
        if advance.last_heard_at.is_none_or(|known| known <= request.received_at) {
            let skew = request
                .sent_at
                .map(|sent_at| (sent_at - request.received_at).whole_milliseconds());
            advance.clock_skew_ms = skew.and_then(|skew| i64::try_from(skew).ok()).or(advance.clock_skew_ms);
        }
        raise(&mut advance.last_heard_at, request.received_at);
        if let Some(heartbeat) = &request.heartbeat {
            advance.heartbeat = Some((request.received_at, heartbeat));
        }
    }
    for item in &fresh.events {
        let (advance, event) = (advances.entry(item.server_id).or_default(), item.event);
        raise(&mut advance.last_event_at, event.event_time);
        match event.event_type {
            EventType::SessionConnected | EventType::SessionDisconnected => {}
            EventType::SessionUpdated => raise(&mut advance.last_proof_at, event.event_time),
            EventType::SessionSnapshot => {
                raise(&mut advance.last_proof_at, event.event_time);
                raise(&mut advance.last_shared_at, event.event_time);
            }
            EventType::ServerStarted | EventType::ServerStopped => raise(&mut advance.last_shared_at, event.event_time),
        }
    }
    for (server_id, start) in boots.starts() {
        raise(&mut advances.entry(server_id).or_default().last_shared_at, start);
    }
    write(connection, &advances).await
}

async fn write(connection: &mut PgConnection, advances: &BTreeMap<i32, Advance<'_>>) -> Result<(), Error> {
    let sql = "UPDATE vpn_server_state s SET
            last_heard_at = greatest(s.last_heard_at, n.last_heard_at),
            last_event_at = greatest(s.last_event_at, n.last_event_at),
            last_shared_at = greatest(s.last_shared_at, n.last_shared_at),
            last_proof_at = greatest(s.last_proof_at, n.last_proof_at),
            clock_skew_ms = coalesce(n.clock_skew_ms, s.clock_skew_ms),
            boot_id = coalesce((SELECT b.boot_id FROM server_boot b WHERE b.server_id = s.server_id
                AND b.boot_id <> '00000000-0000-0000-0000-000000000000' ORDER BY b.started_at DESC, b.boot_id LIMIT 1), s.boot_id)
        FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
            AS n (server_id, last_heard_at, last_event_at, last_shared_at, last_proof_at, clock_skew_ms)
        WHERE s.server_id = n.server_id";
    sqlx::query(sql)
        .bind(advances.keys().copied().collect::<Vec<_>>())
        .bind(advances.values().map(|one| one.last_heard_at).collect::<Vec<_>>())
        .bind(advances.values().map(|one| one.last_event_at).collect::<Vec<_>>())
        .bind(advances.values().map(|one| one.last_shared_at).collect::<Vec<_>>())
        .bind(advances.values().map(|one| one.last_proof_at).collect::<Vec<_>>())
        .bind(advances.values().map(|one| one.clock_skew_ms).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    for (server_id, advance) in advances {
        if let Some((at, heartbeat)) = advance.heartbeat {
            beat(connection, *server_id, at, heartbeat).await?;
        }
    }
    Ok(())
}

/// Heartbeats are one a minute and server, so a statement each is no cost.
async fn beat(
    connection: &mut PgConnection,
    server_id: i32,
    at: OffsetDateTime,
    heartbeat: &Heartbeat,
) -> Result<(), Error> {
    let sql = "UPDATE vpn_server_state SET last_heartbeat_at = $2, cpu_percent = $3, memory_percent = $4, load_1m = $5,
            openvpn_version = $6, uptime_seconds = $7, session_count = $8, dco = $9, agent_version = $10, spool_depth = $11,
            oldest_unsent_at = $12
        WHERE server_id = $1 AND (last_heartbeat_at IS NULL OR last_heartbeat_at <= $2)";
    sqlx::query(sql)
        .bind(server_id)
        .bind(at)
        .bind(heartbeat.cpu_percent)
        .bind(heartbeat.memory_percent)
        .bind(heartbeat.load_1m)
        .bind(&heartbeat.openvpn_version)
        .bind(heartbeat.uptime_seconds.map(signed))
        .bind(heartbeat.session_count.map(signed))
        .bind(heartbeat.dco)
        .bind(&heartbeat.agent_version)
        .bind(heartbeat.spool_depth.map(signed))
        .bind(heartbeat.oldest_unsent_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Marks open sessions that lack proof of life for longer than `timeout_seconds` as timed out, and those that have it again
/// as active. Where the agent gives no proof of single sessions, the server's own silence counts. Returns the ids of the
/// sessions whose status changed, at most `limit`.
///
/// # Errors
/// Nothing was changed then.
pub async fn sweep_timeouts(
    db: &Db,
    now: OffsetDateTime,
    timeout_seconds: i64,
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    // Locks the servers like a batch does; servers that a batch is busy with are left to the next sweep.
    let sql = "WITH server AS MATERIALIZED (
            SELECT server_id, last_proof_at IS NOT NULL AS proves, coalesce(last_heard_at, '-infinity') AS heard,
                $1 + coalesce(clock_skew_ms, 0) * interval '1 millisecond' AS its_now
            FROM vpn_server_state ORDER BY server_id FOR NO KEY UPDATE SKIP LOCKED
        ), judged AS (
            SELECT s.id, s.session_status, CASE WHEN v.proves THEN v.its_now - s.last_seen_at > $2 * interval '1 second'
                ELSE $1 - v.heard > $2 * interval '1 second' END AS silent
            FROM vpn_session s JOIN server v USING (server_id) WHERE s.session_status <> 'disconnected'
        ), wrong AS (
            SELECT id, silent FROM judged WHERE (session_status = 'timeout') <> silent LIMIT $3
        )
        UPDATE vpn_session s SET
            session_status = CASE WHEN j.silent THEN 'timeout'::session_status ELSE 'active' END,
            ended_by = CASE WHEN j.silent THEN 'timeout'::session_end END,
            disconnected_at = CASE WHEN j.silent THEN s.last_seen_at END,
            version = s.version + 1, updated_at = now()
        FROM wrong j WHERE s.id = j.id AND s.session_status <> 'disconnected'
        RETURNING s.id";
    let rows = sqlx::query(sql)
        .bind(now)
        .bind(timeout_seconds)
        .bind(limit)
        .fetch_all(db.connection.get_postgres_connection_pool())
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
