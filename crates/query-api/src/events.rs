//! `GET /api/events/unmatched`, `GET /api/events/rejected`.

use actix_web::get;
use actix_web::web::Data;
use db::entities::dead_letter;
use db::entities::enums::EventType;
use db::events::UnmatchedRow;
use db::{dead_letters, events};
use domain::time_format;
use serde::Serialize;
use serde_json::Value;
use service_kit::{Json, Problem, ProblemBody};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::Failure;
use crate::page::{self, PageInfo, PageParams};
use crate::parameters::{And, Parameters};
use crate::{State, servers};

/// An event that names a session which nobody has opened yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnmatchedEvent)]
pub(crate) struct UnmatchedView {
    event_id: Uuid,
    event_type: EventType,
    #[serde(serialize_with = "time_format::millis")]
    event_time: OffsetDateTime,
    #[serde(serialize_with = "time_format::optional_millis")]
    received_at: Option<OffsetDateTime>,
    server_instance: String,
    vpn_user_id: i64,
    common_name: String,
    boot_id: Option<Uuid>,
    seq: Option<i64>,
    /// What the event says, as it was accepted.
    #[schema(value_type = Object)]
    body: Option<Value>,
}

/// Events that wait for their session, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnmatchedList {
    events: Vec<UnmatchedView>,
    #[serde(flatten)]
    page: PageInfo,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct UnmatchedParams {
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
}

/// List events that wait for their session, newest first.
#[utoipa::path(
    operation_id = "list_unmatched_events",
    tag = "events",
    params(UnmatchedParams, PageParams),
    responses(
        (status = 200, description = "A page of events", body = UnmatchedList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/events/unmatched")]
pub(crate) async fn list_unmatched_events(
    state: Data<State>,
    parameters: Parameters<And<UnmatchedParams, PageParams>>,
) -> Result<Json<UnmatchedList>, Problem> {
    let servers: Vec<i32> = servers::named(&state.db, &parameters).await?.into_values().collect();
    let request = page::request(&parameters, Some(true))?;
    let page = events::unmatched(&state.db, &servers, &request)
        .await
        .map_err(Failure::from)?;
    let info = PageInfo::of(&request, &page);
    Ok(Json(UnmatchedList {
        events: page.rows.into_iter().map(UnmatchedView::from).collect(),
        page: info,
    }))
}

/// An event that was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RejectedEvent)]
pub(crate) struct RejectedView {
    id: Uuid,
    #[serde(serialize_with = "time_format::millis")]
    received_at: OffsetDateTime,
    server_instance: String,
    /// As the agent wrote it; may be no UUID.
    event_id: Option<String>,
    /// The error code that the agent got.
    #[schema(example = "invalid_real_ip")]
    error: String,
    detail: String,
    /// The event's own text, cut at 16 KiB.
    event_json: String,
    /// The request that carried it.
    request_id: String,
}

/// Refused events, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectedList {
    events: Vec<RejectedView>,
    #[serde(flatten)]
    page: PageInfo,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct RejectedParams {
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Error code.
    #[param(example = "invalid_real_ip")]
    error: Option<String>,
}

/// List refused events, newest first.
#[utoipa::path(
    operation_id = "list_rejected_events",
    tag = "events",
    params(RejectedParams, PageParams),
    responses(
        (status = 200, description = "A page of refused events", body = RejectedList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/events/rejected")]
pub(crate) async fn list_rejected_events(
    state: Data<State>,
    parameters: Parameters<And<RejectedParams, PageParams>>,
) -> Result<Json<RejectedList>, Problem> {
    let servers: Vec<String> = servers::named(&state.db, &parameters).await?.into_keys().collect();
    let error = parameters.text("error")?;
    let request = page::request(&parameters, Some(true))?;
    let page = dead_letters::list(&state.db, &servers, error, &request)
        .await
        .map_err(Failure::from)?;
    let info = PageInfo::of(&request, &page);
    Ok(Json(RejectedList {
        events: page.rows.into_iter().map(RejectedView::from).collect(),
        page: info,
    }))
}

impl From<UnmatchedRow> for UnmatchedView {
    fn from(row: UnmatchedRow) -> Self {
        Self {
            event_id: row.event_id,
            event_type: row.event_type,
            event_time: row.event_time,
            received_at: row.received_at,
            server_instance: row.server_instance,
            vpn_user_id: row.vpn_user_id,
            common_name: row.common_name,
            boot_id: row.boot_id.filter(|boot_id| !boot_id.is_nil()),
            seq: row.seq,
            body: row.body.map(|body| match body {
                Value::Array(mut facts) if facts.len() == 1 => facts.remove(0),
                body => body,
            }),
        }
    }
}

impl From<dead_letter::Model> for RejectedView {
    fn from(letter: dead_letter::Model) -> Self {
        Self {
            id: letter.id,
            received_at: letter.received_at,
            server_instance: letter.server_name,
            event_id: letter.event_id,
            error: letter.error,
            detail: letter.detail,
            event_json: letter.event_json,
            request_id: letter.request_id,
        }
    }
}
