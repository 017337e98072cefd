//! `POST /api/auth/logout`, `POST /api/auth/logout-all`: the end of one portal session, or of all of a user's. Access tokens
//! are refused everywhere within a second.

use access_token::Caller;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use audit_actor::Origin;
use db::portal_sessions;
use domain::revocation::Revocation;
use service_kit::{Json, Problem, ProblemBody, clock};

use crate::answers::BodyRefused;
use crate::error::Failure;
use crate::refresh::{self, RefreshTokenRequest};
use crate::{State, refresh_cookie};

/// Log out: end the portal session of a refresh token. One that is unknown or over is no error.
#[utoipa::path(
    operation_id = "logout",
    tag = "auth",
    responses(
        (status = 204, description = "The portal session is over, and the cookie is removed"),
        (status = 403, description = "`origin_not_allowed`: the cookie was sent by a page that is not the portal's", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests from this source; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`denylist_unavailable`: it is over, but its access token may be good for a while; try again. Or the database is away", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
    )
)]
#[post("/api/auth/logout")]
pub(crate) async fn logout(
    state: Data<State>,
    origin: Origin,
    http: HttpRequest,
    request: Json<RefreshTokenRequest>,
) -> Result<HttpResponse, Problem> {
    state.sources.take(&origin.source())?;
    if let Some((presented, _)) = refresh::presented(&http, &state, request.into_inner())? {
        let actor = origin.actor(None, "unknown");
        let ended = portal_sessions::end_by_token(&state.db, presented, clock::now(), actor).await;
        if let Some(session) = ended.map_err(Failure::from)? {
            state.revocations.announce(Revocation::PortalSession(session)).await?;
        }
    }
    Ok(HttpResponse::NoContent().cookie(refresh_cookie::removal()).finish())
}

/// Log out everywhere: end all of one's own portal sessions, this one too.
#[utoipa::path(
    operation_id = "logout_all",
    tag = "auth",
    responses((status = 204, description = "All portal sessions are over, and the cookie is removed"))
)]
#[post("/api/auth/logout-all")]
pub(crate) async fn logout_all(state: Data<State>, caller: Caller, origin: Origin) -> Result<HttpResponse, Problem> {
    let id = caller.portal_user_id;
    let actor = origin.actor(Some(id), &caller.username);
    // An account that is gone meanwhile has nothing to be ended.
    state.sign_out_everywhere(id, actor).await?;
    Ok(HttpResponse::NoContent().cookie(refresh_cookie::removal()).finish())
}
