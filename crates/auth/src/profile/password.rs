//! `POST /api/profile/change-password`.

use access_token::Caller;
use actix_web::post;
use actix_web::web::Data;
use audit_actor::Origin;
use db::portal_users::{self, Standing};
use serde::Deserialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use crate::State;
use crate::answers::{BodyRefused, FieldsRefused};
use crate::current_password::{CurrentPassword, wrong_password};
use crate::error::{Failure, not_found};
use crate::fields::Fields;
use crate::issued::AccessTokenResponse;
use crate::password::Password;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    current_password: Password,
    /// At least 8 characters, with upper-case and lower-case letters, digits and special characters, and not a common one.
    new_password: Password,
}

/// Change one's own password. All other portal sessions end, and so do all access tokens: the answer brings a new one for this
/// portal session, whose refresh token stays good.
#[utoipa::path(
    operation_id = "change_password",
    tag = "profile",
    responses(
        (status = 200, description = "A new access token", body = AccessTokenResponse),
        (status = 403, description = "`wrong_password`: the current password is another one", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
        FieldsRefused,
    )
)]
#[post("/api/profile/change-password")]
pub(crate) async fn change_password(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    request: Json<PasswordChange>,
) -> Result<Json<AccessTokenResponse>, Problem> {
    let PasswordChange {
        current_password,
        new_password,
    } = request.into_inner();
    let current = CurrentPassword::check(&state, &caller, &origin, current_password.clone()).await?;
    let new_hash = accepted(&state, &current_password, new_password).await?;
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let (id, keep, now) = (caller.portal_user_id, caller.session_id, clock::now());
    let changed = portal_users::change_password(&state.db, id, current.hash, new_hash, keep, now, actor).await;
    let tokens_below = changed.map_err(Failure::from)?.ok_or_else(wrong_password)?;
    state.deny_user(id, tokens_below).await;
    let standing = standing(&state, id).await?;
    Ok(Json(AccessTokenResponse::issue(&state, &standing, keep, tokens_below)?))
}

/// The hash of a password that keeps the rules.
async fn accepted(state: &State, current: &Password, new: Password) -> Result<String, Problem> {
    let mut fields = Fields::default();
    for lack in new.lacks() {
        fields.add("new_password", format!("needs {lack}"));
    }
    if new.reveal() == current.reveal() {
        fields.add("new_password", "needs to differ from the current one");
    }
    fields.check()?;
    Ok(state.hasher.hash(new).await.map_err(Failure::from)?)
}

async fn standing(state: &State, id: i64) -> Result<Standing, Problem> {
    let standing = portal_users::standing(&state.db, id).await;
    standing.map_err(Failure::from)?.ok_or_else(|| not_found("account"))
}
