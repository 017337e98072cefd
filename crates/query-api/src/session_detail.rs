//! `GET /api/sessions/{id}`.

use actix_web::get;
use actix_web::web::{Data, Path};
use db::entities::enums::EventType;
use db::entities::vpn_event;
use db::sessions::{self, SessionView};
use db::{commands, events, vpn_users};
use domain::time_format;
use serde::Serialize;
use serde_json::Value;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;
use crate::commands::CommandView;
use crate::error::{Failure, not_found};
use crate::known_by::{self, KnownBy};
use crate::parameters::{NoParameters, Parameters};
use crate::timeline::{self, TimelineEntry};

/// Most events of a session that are shown.
const MOST_EVENTS: u64 = 2_000;
const MOST_COMMANDS: u64 = 20;

/// A session with its events and how its facts are known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionDetail {
    #[serde(flatten)]
    session: SessionView,
    full_name: Option<String>,
    email: Option<String>,
    known_by: KnownBy,
    /// What happened, in the order of time, and how it is known.
    timeline: Vec<TimelineEntry>,
    /// What portal users asked of it, newest first; at most 20.
    commands: Vec<CommandView>,
    /// The events matched to the session, in the order in which they happened.
    events: Vec<EventView>,
    /// There are more than 2,000 events; the earliest are left out.
    earlier_events_left_out: bool,
}

/// An event as it was received.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    event_id: Uuid,
    event_type: EventType,
    /// The VPN server's clock.
    #[serde(serialize_with = "time_format::millis")]
    event_time: OffsetDateTime,
    /// Our clock.
    #[serde(serialize_with = "time_format::millis")]
    received_at: OffsetDateTime,
    boot_id: Option<Uuid>,
    seq: Option<i64>,
    /// What the event says, as it was accepted.
    #[schema(value_type = Object)]
    body: Value,
}

/// Show a session.
#[utoipa::path(
    operation_id = "get_session",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "Id of the session")),
    responses(
        (status = 200, description = "The session", body = SessionDetail),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such session", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions/{id}")]
pub(crate) async fn get_session(
    state: Data<State>,
    id: Path<Uuid>,
    _: Parameters<NoParameters>,
) -> Result<Json<SessionDetail>, Problem> {
    let detail = detail(&state, *id).await.map_err(Failure::from)?;
    Ok(Json(detail.ok_or_else(|| not_found("session"))?))
}

pub(crate) async fn detail(state: &State, id: Uuid) -> Result<Option<SessionDetail>, db::Error> {
    let Some(row) = sessions::find(&state.db, id).await? else {
        return Ok(None);
    };
    let now = clock::now();
    let user = vpn_users::metadata(&state.db, row.session.vpn_user_id).await?;
    let mut events = events::of_session(&state.db, &row.session, MOST_EVENTS + 1).await?;
    let known_by = known_by::gather(&state.db, &row.session, &events, now).await?;
    let commands = commands::of_session(&state.db, id, MOST_COMMANDS).await?;
    let commands: Vec<CommandView> = commands.into_iter().map(|row| CommandView::of(row, now)).collect();
    let earlier_events_left_out = events.len() as u64 > MOST_EVENTS;
    if earlier_events_left_out {
        events.remove(0);
    }
    let timeline = timeline::tell(&row.session, &events, &known_by, &commands);
    Ok(Some(SessionDetail {
        session: row.view(now),
        full_name: user.as_ref().and_then(|user| user.full_name.clone()),
        email: user.and_then(|user| user.email),
        known_by,
        timeline,
        commands,
        events: events.into_iter().map(EventView::from).collect(),
        earlier_events_left_out,
    }))
}

impl From<vpn_event::Model> for EventView {
    fn from(event: vpn_event::Model) -> Self {
        Self {
            event_id: event.event_id,
            event_type: event.event_type,
            event_time: event.event_time,
            received_at: event.received_at,
            boot_id: event.boot_id.filter(|boot_id| !boot_id.is_nil()),
            seq: event.seq,
            // Facts of its one session; stored as a list, because a snapshot has many.
            body: match event.body {
                Value::Array(mut facts) if facts.len() == 1 => facts.remove(0),
                body => body,
            },
        }
    }
}
