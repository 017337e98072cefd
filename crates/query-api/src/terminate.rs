//! `DELETE /api/sessions/{id}`, `POST /api/sessions/terminate`: requests to end sessions. They are stored for the agents and
//! expire by themselves when no agent takes them; nothing here ends a session.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, post};
use audit_actor::Acting;
use db::commands::{self, NewTermination, Requested};
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use time::Duration;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::commands::CommandView;
use crate::error::{Failure, invalid_parameter, not_found};
use crate::fields::{invalid_field, text};
use crate::parameters::{NoParameters, Parameters};
use crate::{State, waiting_agents};

const LONGEST_REASON: usize = 500;
const MOST_SESSIONS: usize = 500;
/// A year.
const LONGEST_DENIAL: u32 = 31_536_000;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct TerminateParams {
    /// Why, for people: 1 to 500 characters. It is stored, audited and shown.
    #[param(max_length = 500, min_length = 1, example = "Left the company")]
    reason: String,
    /// For how long the VPN user shall not connect to that VPN server again, seconds.
    #[param(minimum = 1, maximum = 31536000)]
    deny_seconds: Option<u32>,
}

/// Request that a session be ended.
///
/// The request waits for the VPN server's agent; how far it has come is shown with the session and in `GET /api/commands`.
/// No agent takes it in time: it expires, and nothing has been done.
#[utoipa::path(
    operation_id = "terminate_session",
    tag = "commands",
    params(("id" = Uuid, Path, description = "Id of the session"), TerminateParams),
    responses(
        (status = 202, description = "The request is stored", body = CommandView),
        (status = 400, description = "The id is no UUID, or a parameter is missing, not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such session", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The session has ended (`session_ended`), or a request waits already (`already_requested`, with the member `command_id`)", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[delete("/api/sessions/{id}")]
pub(crate) async fn terminate_session(
    state: Data<State>,
    acting: Acting,
    id: Path<Uuid>,
    parameters: Parameters<TerminateParams>,
) -> Result<HttpResponse, Problem> {
    let reason = parameters.text("reason")?;
    let reason = reason.ok_or_else(|| invalid_parameter("reason", "`reason` is required."))?;
    let reason = text("reason", reason, LONGEST_REASON, false)
        .map_err(|_| invalid_parameter("reason", "`reason` must have 1 to 500 characters."))?;
    let seconds = |text: &str| {
        text.parse()
            .ok()
            .filter(|seconds| (1..=LONGEST_DENIAL).contains(seconds))
    };
    let deny = parameters.value("deny_seconds", "a number of seconds from 1 to 31536000", seconds)?;
    let answer = request(&state, acting, vec![*id], reason, deny).await?.pop();
    match answer.ok_or_else(|| Problem::internal(anyhow::anyhow!("a request got no answer")))? {
        Requested::Stored(command) => Ok(HttpResponse::Accepted()
            .insert_header((LOCATION, format!("/api/sessions/{}", *id)))
            .json(CommandView::of(*command, clock::now()))),
        Requested::NoSuchSession => Err(not_found("session")),
        Requested::Ended => Err(conflict("session_ended", "The session has ended already.")),
        Requested::Waiting(command) => Err(conflict(
            "already_requested",
            "Somebody has asked for it already, and it may still be carried out.",
        )
        .with("command_id", command.command.id.to_string())),
    }
}

/// Sessions that shall be ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TerminateSessions {
    /// 1 to 500 ids, each once.
    #[schema(min_items = 1, max_items = 500)]
    session_ids: Vec<Uuid>,
    /// Why, for people: 1 to 500 characters. It is stored, audited and shown.
    #[schema(min_length = 1, max_length = 500, example = "Left the company")]
    reason: String,
    /// For how long the VPN users shall not connect to those VPN servers again, seconds.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 31536000)]
    deny_seconds: Option<u32>,
}

/// What became of each session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Terminations {
    /// The requests that are stored.
    commands: Vec<CommandView>,
    /// The sessions of which none is stored.
    refused: Vec<RefusedTermination>,
}

/// A session that is not asked to be ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedTermination {
    session_id: Uuid,
    error: TerminationError,
    /// The request that waits already.
    command_id: Option<Uuid>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TerminationError {
    NotFound,
    SessionEnded,
    AlreadyRequested,
}

/// Request that several sessions be ended.
#[utoipa::path(
    operation_id = "terminate_sessions",
    tag = "commands",
    request_body = TerminateSessions,
    responses(
        (status = 202, description = "What became of each session; perhaps no request is stored", body = Terminations),
        (status = 400, description = "The body is not valid; `field` names what is not", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[post("/api/sessions/terminate")]
pub(crate) async fn terminate_sessions(
    state: Data<State>,
    acting: Acting,
    _: Parameters<NoParameters>,
    body: Json<TerminateSessions>,
) -> Result<HttpResponse, Problem> {
    let TerminateSessions {
        session_ids,
        reason,
        deny_seconds,
    } = body.into_inner();
    check_ids(&session_ids)?;
    let reason = text("reason", &reason, LONGEST_REASON, true)?;
    if deny_seconds.is_some_and(|seconds| !(1..=LONGEST_DENIAL).contains(&seconds)) {
        return Err(invalid_field(
            "deny_seconds",
            "`deny_seconds` must be from 1 to 31536000.",
        ));
    }
    let answers = request(&state, acting, session_ids.clone(), reason, deny_seconds).await?;
    Ok(HttpResponse::Accepted().json(Terminations::of(session_ids, answers)))
}

fn check_ids(ids: &[Uuid]) -> Result<(), Problem> {
    let distinct: std::collections::HashSet<&Uuid> = ids.iter().collect();
    if ids.is_empty() || ids.len() > MOST_SESSIONS || distinct.len() < ids.len() {
        return Err(invalid_field(
            "session_ids",
            "Give 1 to 500 ids of sessions, each once.",
        ));
    }
    Ok(())
}

async fn request(
    state: &State,
    acting: Acting,
    session_ids: Vec<Uuid>,
    reason: String,
    deny_seconds: Option<u32>,
) -> Result<Vec<Requested>, Problem> {
    let Acting(actor) = acting;
    let new = NewTermination {
        sessions: session_ids.into_iter().map(|id| (id, clock::new_id())).collect(),
        portal_user_id: actor.portal_user_id.unwrap_or_default(),
        reason,
        deny: deny_seconds.map(|seconds| Duration::seconds(seconds.into())),
        requested_at: clock::now(),
        patience: state.termination_patience,
    };
    let answers = commands::request_terminations(&state.writer, new, actor)
        .await
        .map_err(Failure::from)?;
    let servers = answers.iter().filter_map(|answer| match answer {
        Requested::Stored(command) => Some(command.command.server_id),
        _ => None,
    });
    waiting_agents::wake(&state.bus, servers).await;
    Ok(answers)
}

impl Terminations {
    fn of(session_ids: Vec<Uuid>, answers: Vec<Requested>) -> Self {
        let now = clock::now();
        let mut terminations = Self {
            commands: Vec::new(),
            refused: Vec::new(),
        };
        for (session_id, answer) in session_ids.into_iter().zip(answers) {
            let (error, command_id) = match answer {
                Requested::Stored(command) => {
                    terminations.commands.push(CommandView::of(*command, now));
                    continue;
                }
                Requested::NoSuchSession => (TerminationError::NotFound, None),
                Requested::Ended => (TerminationError::SessionEnded, None),
                Requested::Waiting(command) => (TerminationError::AlreadyRequested, Some(command.command.id)),
            };
            terminations.refused.push(RefusedTermination {
                session_id,
                error,
                command_id,
            });
        }
        terminations
    }
}

fn conflict(error: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, error, detail)
}
