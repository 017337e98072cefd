//! `POST /api/portal-users/{id}/logout-all`: for an account whose devices or tokens are in wrong hands.

use access_token::Caller;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use audit_actor::Origin;
use service_kit::{Problem, ProblemBody};

use super::refuse_self;
use crate::State;
use crate::answers::PathRefused;
use crate::error::not_found;

/// Sign a portal user out everywhere: all portal sessions end, and their access tokens are refused within a second.
#[utoipa::path(
    operation_id = "logout_portal_user",
    tag = "portal-users",
    params(("id" = i64, Path, description = "Id of the portal user")),
    responses(
        (status = 204, description = "All portal sessions of the user are over; logging in again is possible"),
        (status = 409, description = "`own_account`: sign yourself out in your profile", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`denylist_unavailable`: they are over, but their access tokens may be good for a while; try again. Or the database is away", body = ProblemBody, content_type = "application/problem+json"),
        PathRefused,
    )
)]
#[post("/api/portal-users/{id}/logout-all")]
pub(crate) async fn logout_portal_user(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<i64>,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    refuse_self(&caller, id, "sign out")?;
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    match state.sign_out_everywhere(id, actor).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(not_found("portal user")),
    }
}
