//! `GET /api/servers`, `GET /api/servers/{id}`.

use std::collections::HashMap;

use actix_web::get;
use actix_web::web::{Data, Path};
use db::Db;
use db::entities::server_boot;
use db::paging::{NameCursor, Page, PageRequest};
use db::servers::{self, ServerOverview};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::State;
use crate::error::{Failure, invalid_parameter, not_found};
use crate::gap::GapView;
use crate::page::{self, PageInfo};
use crate::parameters::{NoParameters, Parameters, one_of};
use crate::server_health::{ServerStatus, Thresholds, Trouble, is_skewed, judge};
use crate::session_filter;

/// A VPN server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Server)]
pub(crate) struct ServerView {
    pub(crate) id: i32,
    /// The agent's `server_id`; `server_instance` of sessions.
    pub(crate) name: String,
    description: String,
    /// One common name may have several sessions at once.
    duplicate_cn: bool,
    pub(crate) status: ServerStatus,
    /// What is wrong, when the status is `degraded` or `silent`.
    troubles: Vec<Trouble>,
    pub(crate) active_sessions: u64,
    /// When anything last came from its agent, by our clock.
    #[serde(serialize_with = "time_format::optional_millis")]
    last_heard_at: Option<OffsetDateTime>,
    /// The latest event, by its own clock.
    #[serde(serialize_with = "time_format::optional_millis")]
    last_event_at: Option<OffsetDateTime>,
    /// The latest update or snapshot, by its own clock; null when its agent sends none.
    #[serde(serialize_with = "time_format::optional_millis")]
    last_proof_at: Option<OffsetDateTime>,
    /// Its clock minus ours.
    clock_skew_ms: Option<i64>,
    /// Its clock is off by more than 5 s.
    clock_is_skewed: bool,
    /// The current boot; null when its agent names none.
    boot_id: Option<Uuid>,
    health: HealthView,
    gaps: GapSummary,
    #[serde(serialize_with = "time_format::millis")]
    created_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::optional_millis")]
    retired_at: Option<OffsetDateTime>,
}

/// The last heartbeat. Unknown is null.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ServerHealth)]
pub(crate) struct HealthView {
    #[serde(serialize_with = "time_format::optional_millis")]
    last_heartbeat_at: Option<OffsetDateTime>,
    cpu_percent: Option<f64>,
    memory_percent: Option<f64>,
    load_1m: Option<f64>,
    openvpn_version: Option<String>,
    agent_version: Option<String>,
    uptime_seconds: Option<i64>,
    /// Sessions by the daemon's own count.
    session_count: Option<i64>,
    /// Data channel offload.
    dco: Option<bool>,
    /// Events that the agent has not sent yet.
    spool_depth: Option<i64>,
    #[serde(serialize_with = "time_format::optional_millis")]
    oldest_unsent_at: Option<OffsetDateTime>,
}

/// How many events are missing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GapSummary {
    ranges: u64,
    missing_events: u64,
    #[serde(serialize_with = "time_format::optional_millis")]
    latest_before_time: Option<OffsetDateTime>,
}

/// VPN servers, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerList {
    servers: Vec<ServerView>,
    #[serde(flatten)]
    page: PageInfo,
}

/// A VPN server with its latest boots and gaps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerDetail {
    #[serde(flatten)]
    server: ServerView,
    /// The latest 20 boots, newest first.
    boots: Vec<BootView>,
    /// The latest 500 gaps, newest first.
    gap_list: Vec<GapView>,
}

/// One life of the daemon.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Boot)]
pub(crate) struct BootView {
    /// Null when the agent names none.
    boot_id: Option<Uuid>,
    /// Its earliest event.
    #[serde(serialize_with = "time_format::millis")]
    started_at: OffsetDateTime,
    highest_seq: Option<i64>,
    #[serde(serialize_with = "time_format::optional_millis")]
    highest_seq_at: Option<OffsetDateTime>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct ServersParams {
    /// Status; repeat it or separate by commas for several. Retired VPN servers are shown only when `retired` is among them.
    #[param(required = false)]
    status: Vec<ServerStatus>,
    /// Part of the name or the description.
    search: Option<String>,
    /// Page number, from 1.
    #[param(minimum = 1)]
    page: Option<u64>,
    /// Rows of a page; 50 when not given.
    #[param(minimum = 1, maximum = 500)]
    per_page: Option<u64>,
}

/// List VPN servers, by name.
#[utoipa::path(
    operation_id = "list_servers",
    tag = "servers",
    params(ServersParams),
    responses(
        (status = 200, description = "The VPN servers", body = ServerList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/servers")]
pub(crate) async fn list_servers(
    state: Data<State>,
    parameters: Parameters<ServersParams>,
) -> Result<Json<ServerList>, Problem> {
    let expected = "healthy, degraded, silent, never_seen or retired";
    let statuses: Vec<ServerStatus> = parameters.values("status", expected, one_of)?;
    let search = session_filter::search(&parameters)?.unwrap_or_default().to_lowercase();
    let request: PageRequest<NameCursor> = page::request(&parameters, None)?;
    let asked_for = |server: &ServerView| match statuses.as_slice() {
        [] => server.status != ServerStatus::Retired,
        statuses => statuses.contains(&server.status),
    };
    let named = |server: &ServerView| {
        server.name.to_lowercase().contains(&search) || server.description.to_lowercase().contains(&search)
    };
    let servers = all(&state)
        .await?
        .into_iter()
        .filter(|server| asked_for(server) && named(server))
        .collect();
    let page = Page::cut(servers, &request);
    Ok(Json(ServerList {
        page: PageInfo::of(&request, &page),
        servers: page.rows,
    }))
}

/// Show a VPN server.
#[utoipa::path(
    operation_id = "get_server",
    tag = "servers",
    params(("id" = i32, Path, description = "Id of the VPN server")),
    responses(
        (status = 200, description = "The VPN server", body = ServerDetail),
        (status = 400, description = "The id is no number that an id can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN server", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/servers/{id}")]
pub(crate) async fn get_server(
    state: Data<State>,
    id: Path<i32>,
    _: Parameters<NoParameters>,
) -> Result<Json<ServerDetail>, Problem> {
    let overview = servers::find(&state.db, *id).await.map_err(Failure::from)?;
    let overview = overview.ok_or_else(|| not_found("VPN server"))?;
    let boots = servers::boots(&state.db, *id, 20).await.map_err(Failure::from)?;
    let gaps = servers::gaps(&state.db, *id, 500).await.map_err(Failure::from)?;
    Ok(Json(ServerDetail {
        server: ServerView::of(overview, state.thresholds, clock::now()),
        boots: boots.into_iter().map(BootView::from).collect(),
        gap_list: gaps.into_iter().map(GapView::from).collect(),
    }))
}

/// Every VPN server as it is shown now.
pub(crate) async fn all(state: &State) -> Result<Vec<ServerView>, Problem> {
    let now = clock::now();
    let overviews = servers::list(&state.db).await.map_err(Failure::from)?;
    Ok(overviews
        .into_iter()
        .map(|overview| ServerView::of(overview, state.thresholds, now))
        .collect())
}

/// The VPN servers that `server_instance` names, by name, each with its id.
pub(crate) async fn named<P: IntoParams>(db: &Db, parameters: &Parameters<P>) -> Result<HashMap<String, i32>, Problem> {
    let names: Vec<String> = parameters.list("server_instance").map(str::to_owned).collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let found = servers::ids_by_name(db, &names).await.map_err(Failure::from)?;
    match names.iter().find(|name| !found.contains_key(*name)) {
        Some(unknown) => Err(invalid_parameter(
            "server_instance",
            format!("There is no VPN server `{unknown}`."),
        )),
        None => Ok(found),
    }
}

impl ServerView {
    pub(crate) fn of(overview: ServerOverview, thresholds: Thresholds, now: OffsetDateTime) -> Self {
        let (status, troubles) = judge(&overview, thresholds, now);
        let ServerOverview {
            server,
            state,
            active_sessions,
            gaps,
        } = overview;
        let state = state.as_ref();
        let clock_skew_ms = state.and_then(|state| state.clock_skew_ms);
        Self {
            id: server.id,
            name: server.name,
            description: server.description,
            duplicate_cn: server.duplicate_cn,
            status,
            troubles,
            active_sessions,
            last_heard_at: state.and_then(|state| state.last_heard_at),
            last_event_at: state.and_then(|state| state.last_event_at),
            last_proof_at: state.and_then(|state| state.last_proof_at),
            clock_skew_ms,
            clock_is_skewed: is_skewed(clock_skew_ms),
            boot_id: state
                .and_then(|state| state.boot_id)
                .filter(|boot_id| !boot_id.is_nil()),
            health: state.map(HealthView::from).unwrap_or_default(),
            gaps: GapSummary {
                ranges: gaps.ranges,
                missing_events: gaps.events,
                latest_before_time: gaps.latest,
            },
            created_at: server.created_at,
            retired_at: server.retired_at,
        }
    }
}

impl From<&db::entities::vpn_server_state::Model> for HealthView {
    fn from(state: &db::entities::vpn_server_state::Model) -> Self {
        Self {
            last_heartbeat_at: state.last_heartbeat_at,
            cpu_percent: state.cpu_percent,
            memory_percent: state.memory_percent,
            load_1m: state.load_1m,
            openvpn_version: state.openvpn_version.clone(),
            agent_version: state.agent_version.clone(),
            uptime_seconds: state.uptime_seconds,
            session_count: state.session_count,
            dco: state.dco,
            spool_depth: state.spool_depth,
            oldest_unsent_at: state.oldest_unsent_at,
        }
    }
}

impl From<server_boot::Model> for BootView {
    fn from(boot: server_boot::Model) -> Self {
        Self {
            boot_id: Some(boot.boot_id).filter(|boot_id| !boot_id.is_nil()),
            started_at: boot.started_at,
            highest_seq: boot.highest_seq,
            highest_seq_at: boot.highest_seq_at,
        }
    }
}
