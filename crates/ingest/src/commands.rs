//! `GET /api/v1/commands`: a long poll. It answers at once when there is something to do or another list of denials, else when
//! there is, or when its time is over.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse, get};
use db::commands::{self, Delivery};
use serde::{Deserialize, Serialize};
use service_kit::{Problem, ProblemBody, Shutdown, clock};
use time::OffsetDateTime;
use tokio::time::{Duration, Instant, sleep_until, timeout};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::State;
use crate::agent_key::Agent;
use crate::polls::NoRoom;

const LONGEST_WAIT_SECONDS: u64 = 60;
const LONGEST_VERSION: usize = 64;
/// Commands of one answer; the next poll gets the next ones.
const COMMANDS_AN_ANSWER: u32 = 100;
/// How long the database may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PollParams {
    /// How long the answer may wait for something to do, seconds. It may come earlier.
    #[serde(default)]
    #[param(minimum = 0, maximum = 60)]
    wait_seconds: u64,
    /// `denials_version` of the list that the agent has stored: another list is answered at once.
    #[param(max_length = 64)]
    denials_version: Option<String>,
}

/// Everything that the agent should know now. Times are relative, so that clocks do not matter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Commands {
    /// What to do. A command may come again until its agent has reported on it; it is to be carried out once.
    commands: Vec<AgentCommand>,
    /// The whole list of VPN users who may not connect.
    denials: Vec<AgentDenial>,
    /// Another one whenever the list is another one.
    denials_version: String,
}

/// A command.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentCommand {
    id: Uuid,
    /// `terminate`: end the session.
    #[schema(example = "terminate")]
    kind: String,
    session_id: Uuid,
    common_name: String,
    /// After this time it must not be carried out any more.
    #[schema(minimum = 0)]
    expires_in_ms: i64,
    /// For how long to watch whether the VPN user comes back.
    watch_seconds: u64,
}

/// A VPN user who may not connect to this VPN server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentDenial {
    id: Uuid,
    common_name: String,
    /// For how long.
    #[schema(minimum = 0)]
    expires_in_ms: i64,
}

/// Fetch what portal users ask of this VPN server's agent.
#[utoipa::path(
    operation_id = "get_commands",
    tag = "agent",
    params(PollParams),
    responses(
        (status = 200, description = "Commands, perhaps none, and the whole list of denials", body = Commands),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_api_key`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Over the VPN server's rate, or newer polls of it took the place of this one; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not now; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []))
)]
#[get("/api/v1/commands")]
pub(crate) async fn get_commands(
    state: Data<State>,
    agent: Agent,
    shutdown: Shutdown,
    http: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let parameters = read(&http)?;
    state.rates.take(&agent.server_key)?;
    let version = parameters.denials_version.as_deref();
    let wait_seconds = parameters.wait_seconds.min(state.limits.ingest_command_wait_seconds);
    let until = Instant::now() + Duration::from_secs(wait_seconds);
    // Before the first look, so that nothing is missed between a look and the wait.
    let mut place = state
        .polls
        .enter(agent.server_key, version.unwrap_or_default())
        .map_err(|NoRoom| state.overloaded("Too many polls wait already."))?;
    loop {
        if place.is_lost() {
            return Err(given_way(&state));
        }
        let now = clock::now();
        let delivery = look(&state, agent.server_key, version, now).await?;
        let is_news = !delivery.commands.is_empty() || version != Some(delivery.denials_version.as_str());
        if is_news || Instant::now() >= until || shutdown.is_requested() {
            metrics::counter!("ingest_commands_delivered_total").increment(delivery.commands.len() as u64);
            return Ok(HttpResponse::Ok().json(Commands::of(delivery, state.limits.ingest_command_watch_seconds, now)));
        }
        tokio::select! {
            () = place.woken() => {}
            () = sleep_until(until) => {}
            () = shutdown.requested() => {}
        }
        // The key may have been revoked meanwhile.
        Agent::from_request(&http, &mut Payload::None).await?;
    }
}

fn read(http: &HttpRequest) -> Result<PollParams, Problem> {
    let invalid = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail);
    let parameters =
        Query::<PollParams>::from_query(http.query_string()).map_err(|error| invalid(error.to_string()))?;
    let parameters = parameters.into_inner();
    if parameters.wait_seconds > LONGEST_WAIT_SECONDS {
        return Err(invalid("`wait_seconds` must be from 0 to 60.".to_owned()));
    }
    let version = parameters.denials_version.as_deref().unwrap_or_default();
    if version.len() > LONGEST_VERSION || version.chars().any(char::is_control) {
        return Err(invalid("`denials_version` is none.".to_owned()));
    }
    Ok(parameters)
}

async fn look(state: &State, server_key: i32, version: Option<&str>, now: OffsetDateTime) -> Result<Delivery, Problem> {
    let delivery = timeout(LOOK_TIMEOUT, async {
        let _turn = state.polls.turn().await;
        commands::deliver(&state.db, server_key, version, COMMANDS_AN_ANSWER, now).await
    });
    match delivery.await {
        Ok(Ok(delivery)) => Ok(delivery),
        Ok(Err(error)) => Err(state.database_away("commands cannot be read", &error)),
        Err(late) => Err(state.database_away("the database takes too long to read commands", &late)),
    }
}

/// So that agents which do live, and are too many, do not turn each other out without a pause.
fn given_way(state: &State) -> Problem {
    let detail = "Newer polls of this VPN server wait, and no more than those may.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_polls", detail).retry_after(state.retry_after())
}

impl State {
    /// 503: the same request may succeed later.
    pub(crate) fn database_away(&self, what: &'static str, error: &dyn std::error::Error) -> Problem {
        tracing::warn!(%error, "{what}");
        let detail = "The database does not answer at the moment.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", detail).retry_after(self.retry_after())
    }
}

impl Commands {
    fn of(delivery: Delivery, watch_seconds: u64, now: OffsetDateTime) -> Self {
        let left = |at: OffsetDateTime| {
            i64::try_from((at - now).whole_milliseconds())
                .unwrap_or(i64::MAX)
                .max(0)
        };
        let commands = delivery.commands.into_iter().map(|command| AgentCommand {
            id: command.id,
            kind: command.kind,
            session_id: command.session_id,
            common_name: command.common_name,
            expires_in_ms: left(command.expires_at),
            watch_seconds,
        });
        let denials = delivery.denials.into_iter().map(|denial| AgentDenial {
            id: denial.id,
            common_name: denial.common_name,
            expires_in_ms: left(denial.deny_until),
        });
        Self {
            commands: commands.collect(),
            denials: denials.collect(),
            denials_version: delivery.denials_version,
        }
    }
}
