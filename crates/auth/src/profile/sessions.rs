//! `GET /api/profile/sessions`, `DELETE /api/profile/sessions/{id}`: where one is logged in, and "sign out there".

use std::net::IpAddr;

use access_token::Caller;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get};
use audit_actor::Origin;
use db::portal_users::{self, LivingSession};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, clock};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;
use crate::answers::PathRefused;
use crate::error::{Failure, not_found};

/// One login on one device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortalSession)]
pub(crate) struct PortalSessionView {
    id: Uuid,
    #[serde(serialize_with = "time_format::millis")]
    created_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    last_used_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    expires_at: OffsetDateTime,
    remember_me: bool,
    #[schema(value_type = Option<String>)]
    ip_address: Option<IpAddr>,
    user_agent: Option<String>,
    /// The one that this request comes from.
    is_current: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PortalSessionList {
    /// The one used last first.
    sessions: Vec<PortalSessionView>,
}

/// List where one is logged in.
#[utoipa::path(
    operation_id = "list_profile_sessions",
    tag = "profile",
    responses((status = 200, description = "The living portal sessions", body = PortalSessionList))
)]
#[get("/api/profile/sessions")]
pub(crate) async fn list_profile_sessions(
    state: Data<State>,
    caller: Caller,
) -> Result<Json<PortalSessionList>, Problem> {
    let sessions = portal_users::living_sessions(&state.db, caller.portal_user_id, clock::now()).await;
    let sessions = sessions.map_err(Failure::from)?.into_iter();
    Ok(Json(PortalSessionList {
        sessions: sessions.map(|session| view(session, caller.session_id)).collect(),
    }))
}

/// Sign out on one device: its tokens are refused within a second.
#[utoipa::path(
    operation_id = "end_profile_session",
    tag = "profile",
    params(("id" = Uuid, Path, description = "Id of the portal session")),
    responses((status = 204, description = "The portal session is over"), PathRefused)
)]
#[delete("/api/profile/sessions/{id}")]
pub(crate) async fn end_profile_session(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let ended = portal_users::end_session(&state.db, caller.portal_user_id, *id, clock::now(), actor).await;
    if !ended.map_err(Failure::from)? {
        return Err(not_found("portal session"));
    }
    state.deny_session(*id).await;
    Ok(HttpResponse::NoContent().finish())
}

fn view(session: LivingSession, current: Uuid) -> PortalSessionView {
    PortalSessionView {
        is_current: session.id == current,
        id: session.id,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        remember_me: session.remember_me,
        ip_address: session.ip_address,
        user_agent: session.user_agent,
    }
}
