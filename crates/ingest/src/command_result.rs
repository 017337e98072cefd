//! `POST /api/v1/commands/{id}/result`: what an agent reports of a command.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, post};
use db::commands::{self, CommandState, Progress, Reached};
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;
use crate::agent_key::Agent;

/// What an agent may have waited to report: 30 days.
const LONGEST_AGO_MS: u64 = 30 * 86_400_000;
const LONGEST_FAILURE: usize = 500;

/// How far a command has come.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResultState {
    /// The daemon took it.
    Accepted,
    /// The session has ended.
    Gone,
    /// The session has ended, and the VPN user has not come back while the agent watched.
    StayedGone,
    /// The session has ended, and the VPN user has come back.
    Reconnected,
    /// It is not carried out; `failure` says why.
    Failed,
}

/// All that the agent knows of a command by now. Times are relative, so that clocks do not matter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandResult {
    state: ResultState,
    /// How long ago this state was reached.
    #[serde(default)]
    #[schema(maximum = 2592000000u64)]
    ms_ago: u64,
    /// How long ago the daemon took it, where it did.
    #[serde(default)]
    #[schema(maximum = 2592000000u64)]
    accepted_ms_ago: Option<u64>,
    /// How long ago the session was seen to have ended, where it was.
    #[serde(default)]
    #[schema(maximum = 2592000000u64)]
    gone_ms_ago: Option<u64>,
    /// With `reconnected`: the new session.
    #[serde(default)]
    reconnected_session_id: Option<Uuid>,
    /// With `failed`: why, for people.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    failure: Option<String>,
}

/// The report is written down.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandResultAnswer {
    /// What is stored now; a report that comes again or too late changes nothing.
    state: CommandState,
}

/// Report what came of a command.
#[utoipa::path(
    operation_id = "post_command_result",
    tag = "agent",
    params(("id" = Uuid, Path, description = "Id of the command")),
    request_body = CommandResult,
    responses(
        (status = 200, description = "It is written down, or was before", body = CommandResultAnswer),
        (status = 400, description = "Not JSON of this shape, or a value that cannot be", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_api_key`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "This VPN server has no such command (`unknown_command`)", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Over the VPN server's rate; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not written down; report again after `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []))
)]
#[post("/api/v1/commands/{id}/result")]
pub(crate) async fn post_command_result(
    state: Data<State>,
    agent: Agent,
    id: Path<String>,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    // Here and not as an extractor: those run together, and a stranger shall hear of the key only.
    let result = Json::<CommandResult>::from_request(&http, &mut payload.into_inner()).await?;
    state.rates.take(&agent.server_key)?;
    let id = Uuid::try_parse(&id).map_err(|_| unknown())?;
    let now = clock::now();
    let progress = result.into_inner().progress(now)?;
    let stored = commands::record(&state.db, agent.server_key, id, progress, now)
        .await
        .map_err(|error| state.database_away("a command's result cannot be stored", &error))?;
    let state = stored.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(CommandResultAnswer { state }))
}

fn unknown() -> Problem {
    let detail = "This VPN server has no such command.";
    Problem::new(StatusCode::NOT_FOUND, "unknown_command", detail)
}

impl CommandResult {
    fn progress(self, now: OffsetDateTime) -> Result<Progress, Problem> {
        let times = [Some(self.ms_ago), self.accepted_ms_ago, self.gone_ms_ago];
        if times.into_iter().flatten().any(|ms| ms > LONGEST_AGO_MS) {
            return Err(invalid("ms_ago", "Times are at most 30 days ago."));
        }
        let at = |ms: u64| now - Duration::milliseconds(i64::try_from(ms).unwrap_or_default());
        let reached = match self.state {
            ResultState::Accepted => Reached::Accepted,
            ResultState::Gone => Reached::Gone,
            ResultState::StayedGone => Reached::StayedGone,
            ResultState::Reconnected => Reached::Reconnected,
            ResultState::Failed => Reached::Failed,
        };
        let has_failure = self.failure.as_deref().is_some_and(is_sentence);
        if has_failure != matches!(reached, Reached::Failed) || self.failure.is_some() != has_failure {
            return Err(invalid(
                "failure",
                "`failure` has 1 to 500 characters with `failed`, and is left out else.",
            ));
        }
        if self.reconnected_session_id.is_some() && !matches!(reached, Reached::Reconnected) {
            return Err(invalid("reconnected_session_id", "It belongs to `reconnected`."));
        }
        let accepted = matches!(reached, Reached::Accepted).then_some(self.ms_ago);
        let gone = matches!(reached, Reached::Gone).then_some(self.ms_ago);
        Ok(Progress {
            reached,
            accepted_at: self.accepted_ms_ago.or(accepted).map(at),
            gone_at: self.gone_ms_ago.or(gone).map(at),
            reached_at: at(self.ms_ago),
            reconnected_session_id: self.reconnected_session_id,
            failure: self.failure,
        })
    }
}

fn is_sentence(text: &str) -> bool {
    (1..=LONGEST_FAILURE).contains(&text.chars().count()) && !text.trim().is_empty()
}

fn invalid(field: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail).with("field", field)
}
