//! `GET /api/commands`: what portal users asked of agents, and what came of it.

use actix_web::get;
use actix_web::web::Data;
use db::commands::{self, CommandFilter, CommandRow, CommandState};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::Failure;
use crate::page::{self, PageInfo, PageParams};
use crate::parameters::{And, Parameters, one_of};
use crate::timeline::{KnownFrom, TimelineEntry, TimelineKind};
use crate::{State, servers};

/// What is asked of an agent.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandKind {
    /// End a session.
    Terminate,
}

/// A request to a VPN server's agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Command)]
pub(crate) struct CommandView {
    id: Uuid,
    kind: CommandKind,
    session_id: Uuid,
    server_instance: String,
    server_key: i32,
    vpn_user_id: i64,
    common_name: String,
    /// How far it has come by now.
    state: CommandState,
    /// Name of the portal user, as it was then.
    requested_by: String,
    reason: String,
    /// Until when the VPN user shall not connect to that VPN server again.
    #[serde(serialize_with = "time_format::optional_millis")]
    deny_until: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::millis")]
    requested_at: OffsetDateTime,
    /// From then on an agent that has not taken it does not carry it out any more.
    #[serde(serialize_with = "time_format::millis")]
    expires_at: OffsetDateTime,
    /// When an agent got it.
    #[serde(serialize_with = "time_format::optional_millis")]
    delivered_at: Option<OffsetDateTime>,
    /// When the daemon took it.
    #[serde(serialize_with = "time_format::optional_millis")]
    accepted_at: Option<OffsetDateTime>,
    /// When the session had ended.
    #[serde(serialize_with = "time_format::optional_millis")]
    gone_at: Option<OffsetDateTime>,
    /// Until when the VPN user has not come back.
    #[serde(serialize_with = "time_format::optional_millis")]
    stayed_gone_at: Option<OffsetDateTime>,
    /// When the VPN user came back.
    #[serde(serialize_with = "time_format::optional_millis")]
    reconnected_at: Option<OffsetDateTime>,
    reconnected_session_id: Option<Uuid>,
    #[serde(serialize_with = "time_format::optional_millis")]
    failed_at: Option<OffsetDateTime>,
    /// Why it failed.
    failure: Option<String>,
}

/// Commands, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandList {
    commands: Vec<CommandView>,
    #[serde(flatten)]
    page: PageInfo,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct CommandsParams {
    /// State; repeat it or separate by commas for several.
    #[param(required = false)]
    state: Vec<CommandState>,
    /// Id of a session.
    session_id: Option<Uuid>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
}

/// List commands, newest first.
#[utoipa::path(
    operation_id = "list_commands",
    tag = "commands",
    params(CommandsParams, PageParams),
    responses(
        (status = 200, description = "A page of commands", body = CommandList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/commands")]
pub(crate) async fn list_commands(
    state: Data<State>,
    parameters: Parameters<And<CommandsParams, PageParams>>,
) -> Result<Json<CommandList>, Problem> {
    let states = "requested, delivered, accepted, gone, stayed_gone, reconnected, failed, expired or unanswered";
    let filter = CommandFilter {
        states: parameters.values("state", states, one_of)?,
        session_id: parameters.value("session_id", "the UUID of a session", |text| Uuid::try_parse(text).ok())?,
        server_ids: servers::named(&state.db, &parameters).await?.into_values().collect(),
    };
    let request = page::request(&parameters, Some(true))?;
    let now = clock::now();
    let page = commands::list(&state.db, &filter, now, &request)
        .await
        .map_err(Failure::from)?;
    let info = PageInfo::of(&request, &page);
    Ok(Json(CommandList {
        commands: page.rows.into_iter().map(|row| CommandView::of(row, now)).collect(),
        page: info,
    }))
}

impl CommandView {
    /// What a session's timeline says of it.
    pub(crate) fn timeline_entry(&self) -> TimelineEntry {
        let state = serde_json::to_value(self.state).unwrap_or_default();
        let state = state.as_str().unwrap_or_default().replace('_', " ");
        let text = format!(
            "{} asked that it be ended: {} ({state})",
            self.requested_by, self.reason
        );
        let kind = TimelineKind::TerminationRequested;
        TimelineEntry::new(self.requested_at, kind, KnownFrom::Portal, text)
    }

    /// The command as it is shown at the instant `now`.
    pub(crate) fn of(row: CommandRow, now: OffsetDateTime) -> Self {
        let state = CommandState::of(&row.command, now);
        let CommandRow {
            command,
            common_name,
            server_instance,
        } = row;
        Self {
            id: command.id,
            kind: CommandKind::Terminate,
            session_id: command.session_id,
            server_instance,
            server_key: command.server_id,
            vpn_user_id: command.vpn_user_id,
            common_name,
            state,
            requested_by: command.requested_by_name,
            reason: command.reason,
            deny_until: command.deny_until,
            requested_at: command.requested_at,
            expires_at: command.expires_at,
            delivered_at: command.delivered_at,
            accepted_at: command.accepted_at,
            gone_at: command.gone_at,
            stayed_gone_at: command.stayed_gone_at,
            reconnected_at: command.reconnected_at,
            reconnected_session_id: command.reconnected_session_id,
            failed_at: command.failed_at,
            failure: command.failure,
        }
    }
}
