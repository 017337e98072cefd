//! `/api/profile`: what everybody may see and change of the own account. Whoever has to change the password or enrol a second
//! factor first may come here, and nowhere else.

pub(crate) mod activity;
pub(crate) mod password;
pub(crate) mod sessions;

use access_token::Caller;
use actix_web::web::Data;
use actix_web::{get, put};
use audit_actor::Origin;
use db::portal_users::{self, Account, AccountEdit, Edited};
use db::totp;
use domain::required_action::RequiredAction;
use garde::Validate;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use crate::State;
use crate::account_view::AccountView;
use crate::answers::{BodyRefused, FieldsRefused};
use crate::error::{Failure, conflict, not_found};
use crate::fields::{Fields, valid_email};

/// The caller's own account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Profile {
    #[serde(flatten)]
    account: AccountView,
    /// What must be done before the roles count: `change_password` or `enrol_totp`.
    #[schema(value_type = Option<String>, example = json!(null))]
    required_action: Option<RequiredAction>,
    /// 10 after enrolling; each is good once.
    recovery_codes_left: u64,
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileEdit {
    #[garde(custom(valid_email))]
    #[schema(format = "email", max_length = 254, example = "jdoe@example.com")]
    email: String,
    /// The version that was edited; when another one is there by now, the edit is refused.
    #[serde(default)]
    #[garde(skip)]
    version: Option<i32>,
}

/// Show one's own account.
#[utoipa::path(
    operation_id = "get_profile",
    tag = "profile",
    responses((status = 200, description = "The caller's account", body = Profile))
)]
#[get("/api/profile")]
pub(crate) async fn get_profile(state: Data<State>, caller: Caller) -> Result<Json<Profile>, Problem> {
    let account = portal_users::find_account(&state.db, caller.portal_user_id).await;
    let account = account.map_err(Failure::from)?.ok_or_else(|| not_found("account"))?;
    Ok(Json(profile(&state, account).await?))
}

/// Change one's own e-mail address.
#[utoipa::path(
    operation_id = "update_profile",
    tag = "profile",
    responses(
        (status = 200, description = "The account as it is now", body = Profile),
        (status = 409, description = "`version_conflict`: somebody has edited it meanwhile", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
        FieldsRefused,
    )
)]
#[put("/api/profile")]
pub(crate) async fn update_profile(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    request: Json<ProfileEdit>,
) -> Result<Json<Profile>, Problem> {
    Fields::of(&*request).check()?;
    let ProfileEdit { email, version } = request.into_inner();
    let edit = AccountEdit {
        email: Some(email),
        expected_version: version,
        ..AccountEdit::default()
    };
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let edited = portal_users::update(&state.db, caller.portal_user_id, edit, clock::now(), actor).await;
    match edited.map_err(Failure::from)? {
        Edited::Done { account, .. } => Ok(Json(profile(&state, account).await?)),
        Edited::Stale => Err(conflict(
            "version_conflict",
            "The account was edited meanwhile; load it again.",
        )),
        Edited::Unknown | Edited::LastAdmin => Err(not_found("account")),
    }
}

async fn profile(state: &State, account: Account) -> Result<Profile, Failure> {
    let standing = portal_users::standing(&state.db, account.id).await?;
    Ok(Profile {
        required_action: standing.and_then(|standing| standing.required_action),
        recovery_codes_left: totp::recovery_codes_left(&state.db, account.id).await?,
        account: account.into(),
    })
}
