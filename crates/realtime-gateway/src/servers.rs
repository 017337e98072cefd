//! `server_update`: how the VPN servers are doing. Looked up once a second for all sockets together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytestring::ByteString;
use db::Db;
use db::entities::vpn_server_state;
use db::server_health::{self, ServerStatus, Thresholds, Trouble, is_skewed};
use db::servers::ServerOverview;
use domain::time_format;
use serde::Serialize;
use service_kit::{Shutdown, clock};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::frames;
use crate::hub::Hub;
use crate::position::Position;

const EVERY: Duration = Duration::from_secs(1);
/// A server that is merely heard again is told this often.
const HEARD_AGAIN: time::Duration = time::Duration::seconds(10);

/// A VPN server with the field names of `GET /api/servers`.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Server {
    id: i32,
    name: String,
    status: ServerStatus,
    troubles: Vec<Trouble>,
    #[serde(serialize_with = "time_format::optional_millis")]
    last_heard_at: Option<OffsetDateTime>,
    clock_skew_ms: Option<i64>,
    clock_is_skewed: bool,
    boot_id: Option<Uuid>,
    health: Health,
    gaps: Gaps,
}

/// What its last heartbeat said.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Health {
    #[serde(serialize_with = "time_format::optional_millis")]
    last_heartbeat_at: Option<OffsetDateTime>,
    cpu_percent: Option<f64>,
    memory_percent: Option<f64>,
    load_1m: Option<f64>,
    openvpn_version: Option<String>,
    agent_version: Option<String>,
    uptime_seconds: Option<i64>,
    session_count: Option<i64>,
    dco: Option<bool>,
    spool_depth: Option<i64>,
    #[serde(serialize_with = "time_format::optional_millis")]
    oldest_unsent_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Gaps {
    ranges: u64,
    missing_events: u64,
    #[serde(serialize_with = "time_format::optional_millis")]
    latest_before_time: Option<OffsetDateTime>,
}

#[derive(Serialize)]
struct Update<'a> {
    servers: Vec<&'a Server>,
}

/// The servers as they were told last.
#[derive(Default)]
pub(crate) struct Servers(Mutex<HashMap<i32, Server>>);

impl Servers {
    /// A frame with every server, for a socket that knows none.
    pub(crate) fn all(&self, position: Position) -> ByteString {
        let servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut servers: Vec<&Server> = servers.values().collect();
        servers.sort_by(|one, other| one.name.cmp(&other.name));
        frames::event("server_update", position, &Update { servers })
    }

    /// Keeps what is new, and gives it.
    fn take(&self, now: Vec<Server>) -> Vec<Server> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        for server in now {
            if known.get(&server.id).is_none_or(|told| differs(told, &server)) {
                known.insert(server.id, server.clone());
                changed.push(server);
            }
        }
        changed
    }
}

fn differs(told: &Server, now: &Server) -> bool {
    let heard_again = now.last_heard_at.zip(told.last_heard_at);
    if heard_again.is_some_and(|(now, told)| now - told >= HEARD_AGAIN) {
        return true;
    }
    let unheard = |server: &Server| {
        let mut server = server.clone();
        server.last_heard_at = None;
        server.health.last_heartbeat_at = None;
        server.health.uptime_seconds = None;
        server
    };
    unheard(told) != unheard(now)
}

/// Looks the servers up, and tells what has changed.
pub(crate) async fn run(
    hub: Arc<Hub>,
    servers: Arc<Servers>,
    db: Db,
    thresholds: Thresholds,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    while !shutdown.is_requested() {
        match server_health::overviews(&db).await {
            Ok(overviews) => {
                let now = overviews.into_iter().map(|overview| server(overview, thresholds));
                let changed = servers.take(now.collect());
                if !changed.is_empty() {
                    let update = Update {
                        servers: changed.iter().collect(),
                    };
                    hub.tell(|position| frames::event("server_update", position, &update));
                }
            }
            Err(error) => tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the VPN servers could not be looked up"
            ),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.requested() => {}
        }
    }
    Ok(())
}

fn server(overview: ServerOverview, thresholds: Thresholds) -> Server {
    let (status, troubles) = server_health::judge(&overview, thresholds, clock::now());
    let ServerOverview {
        server, state, gaps, ..
    } = overview;
    let clock_skew_ms = state.as_ref().and_then(|state| state.clock_skew_ms);
    Server {
        id: server.id,
        name: server.name,
        status,
        troubles,
        last_heard_at: state.as_ref().and_then(|state| state.last_heard_at),
        clock_skew_ms,
        clock_is_skewed: is_skewed(clock_skew_ms),
        boot_id: state
            .as_ref()
            .and_then(|state| state.boot_id)
            .filter(|boot_id| !boot_id.is_nil()),
        health: state.map(health).unwrap_or_default(),
        gaps: Gaps {
            ranges: gaps.ranges,
            missing_events: gaps.events,
            latest_before_time: gaps.latest,
        },
    }
}

fn health(state: vpn_server_state::Model) -> Health {
    Health {
        last_heartbeat_at: state.last_heartbeat_at,
        cpu_percent: state.cpu_percent,
        memory_percent: state.memory_percent,
        load_1m: state.load_1m,
        openvpn_version: state.openvpn_version,
        agent_version: state.agent_version,
        uptime_seconds: state.uptime_seconds,
        session_count: state.session_count,
        dco: state.dco,
        spool_depth: state.spool_depth,
        oldest_unsent_at: state.oldest_unsent_at,
    }
}
