//! `POST /api/portal-users`.

use access_token::Caller;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use audit_actor::Origin;
use db::portal_users::{self, NewPortalUser};
use garde::Validate;
use serde::Deserialize;
use service_kit::{Json, Problem, ProblemBody};
use utoipa::ToSchema;

use crate::State;
use crate::account_view::AccountView;
use crate::answers::{BodyRefused, FieldsRefused};
use crate::error::{Failure, conflict, not_found};
use crate::fields::{self, Fields, known_roles, valid_email, valid_username};
use crate::password::Password;

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalUserCreation {
    /// Unique whatever the case, also among those who were deleted: the audit log names them.
    #[garde(custom(valid_username))]
    #[schema(pattern = "^[A-Za-z0-9_]{3,50}$", example = "operator1")]
    username: String,
    #[garde(custom(valid_email))]
    #[schema(format = "email", max_length = 254, example = "operator1@example.com")]
    email: String,
    /// At least 8 characters, with upper-case and lower-case letters, digits and special characters, and not a common one.
    #[garde(skip)]
    password: Password,
    /// At least one of 1 admin, 2 operator, 3 viewer, 4 auditor.
    #[garde(custom(known_roles))]
    #[schema(min_items = 1, example = json!([2]))]
    role_ids: Vec<i32>,
    /// May log in.
    #[serde(default = "yes")]
    #[garde(skip)]
    #[schema(default = true)]
    is_active: bool,
    /// At the first login.
    #[serde(default)]
    #[garde(skip)]
    must_change_password: bool,
}

fn yes() -> bool {
    true
}

/// Create a portal user.
#[utoipa::path(
    operation_id = "create_portal_user",
    tag = "portal-users",
    responses(
        (status = 201, description = "The portal user", body = AccountView),
        (status = 409, description = "`username_taken`: a portal user has the name, or had it before being deleted", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
        FieldsRefused,
    )
)]
#[post("/api/portal-users")]
pub(crate) async fn create_portal_user(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    request: Json<PortalUserCreation>,
) -> Result<HttpResponse, Problem> {
    let request = request.into_inner();
    let mut fields = Fields::of(&request);
    for lack in request.password.lacks() {
        fields.add("password", format!("needs {lack}"));
    }
    fields.check()?;
    let password_hash = state.hasher.hash(request.password).await.map_err(Failure::from)?;
    let new = NewPortalUser {
        username: request.username,
        password_hash,
        email: Some(request.email),
        roles: fields::roles(&request.role_ids),
        inactive: !request.is_active,
        must_change_password: request.must_change_password,
    };
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let created = portal_users::create(&state.db, new, actor)
        .await
        .map_err(Failure::from)?;
    let id = created.ok_or_else(username_taken)?;
    let account = portal_users::find_account(&state.db, id).await.map_err(Failure::from)?;
    let account = account.ok_or_else(|| not_found("portal user"))?;
    Ok(HttpResponse::Created().json(AccountView::from(account)))
}

fn username_taken() -> Problem {
    conflict(
        "username_taken",
        "A portal user has this name, or had it before being deleted; names are not used twice.",
    )
}
