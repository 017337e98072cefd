//! `POST /api/portal-users/{id}/reset-password`, `…/unlock`: for those who cannot come in.

use access_token::Caller;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use audit_actor::Origin;
use db::login_attempts;
use db::portal_users::{self, PasswordReset};
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use super::refuse_self;
use crate::State;
use crate::answers::{BodyRefused, FieldsRefused, PathRefused};
use crate::error::{Failure, not_found};
use crate::fields::{Fields, present};
use crate::password::Password;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordResetRequest {
    /// One is generated when it is left out.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    new_password: Option<Password>,
    /// For somebody who has lost the app and the recovery codes too.
    #[serde(default)]
    disable_totp: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PasswordResetAnswer {
    /// The generated password, shown once; null when one was given.
    #[schema(format = Password)]
    temporary_password: Option<String>,
}

/// Set a temporary password, which must be changed at the next login. All portal sessions of the user end.
#[utoipa::path(
    operation_id = "reset_portal_user_password",
    tag = "portal-users",
    params(("id" = i64, Path, description = "Id of the portal user")),
    responses(
        (status = 200, description = "The password is set", body = PasswordResetAnswer),
        (status = 409, description = "`own_account`: change your own password in your profile", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
        PathRefused,
        FieldsRefused,
    )
)]
#[post("/api/portal-users/{id}/reset-password")]
pub(crate) async fn reset_portal_user_password(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<i64>,
    request: Json<PasswordResetRequest>,
) -> Result<Json<PasswordResetAnswer>, Problem> {
    refuse_self(&caller, *id, "reset the password of")?;
    let PasswordResetRequest {
        new_password,
        disable_totp,
    } = request.into_inner();
    let (password, temporary_password) = match new_password {
        Some(given) => (given, None),
        None => {
            let generated = Password::generate(&SystemRandom::new()).map_err(Failure::from)?;
            let shown = generated.reveal().to_owned();
            (generated, Some(shown))
        }
    };
    let mut fields = Fields::default();
    for lack in password.lacks() {
        fields.add("new_password", format!("needs {lack}"));
    }
    fields.check()?;
    let password_hash = state.hasher.hash(password).await.map_err(Failure::from)?;
    let reset = PasswordReset {
        password_hash,
        disable_totp,
    };
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let done = portal_users::reset_password(&state.db, *id, reset, clock::now(), actor).await;
    let tokens_below = done.map_err(Failure::from)?.ok_or_else(|| not_found("portal user"))?;
    state.deny_user(*id, tokens_below).await;
    Ok(Json(PasswordResetAnswer { temporary_password }))
}

/// Let a portal user log in again who was locked out by wrong passwords.
#[utoipa::path(
    operation_id = "unlock_portal_user",
    tag = "portal-users",
    params(("id" = i64, Path, description = "Id of the portal user")),
    responses((status = 204, description = "Nothing is locked any more"), PathRefused)
)]
#[post("/api/portal-users/{id}/unlock")]
pub(crate) async fn unlock_portal_user(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<i64>,
) -> Result<HttpResponse, Problem> {
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let unlocked = login_attempts::unlock(&state.db, *id, clock::now(), actor).await;
    unlocked
        .map_err(Failure::from)?
        .ok_or_else(|| not_found("portal user"))?;
    Ok(HttpResponse::NoContent().finish())
}
