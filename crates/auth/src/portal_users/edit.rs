//! `PUT /api/portal-users/{id}`, `DELETE /api/portal-users/{id}`.

use access_token::Caller;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, put};
use audit_actor::Origin;
use db::portal_users::{self, AccountEdit, Deleted, Edited};
use domain::role::Role;
use garde::Validate;
use serde::Deserialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use super::{last_admin, refuse_self};
use crate::State;
use crate::account_view::AccountView;
use crate::answers::{BodyRefused, FieldsRefused, PathRefused};
use crate::error::{Failure, conflict, not_found};
use crate::fields::{self, Fields, known_roles, present, valid_email};

/// What is left out stays as it is.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalUserEdit {
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(custom(valid_email)))]
    #[schema(nullable = false, format = "email", max_length = 254)]
    email: Option<String>,
    /// At least one of 1 admin, 2 operator, 3 viewer, 4 auditor.
    #[serde(default, deserialize_with = "present")]
    #[garde(custom(known_roles_if_given))]
    #[schema(nullable = false, min_items = 1, example = json!([2, 3]))]
    role_ids: Option<Vec<i32>>,
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(nullable = false)]
    is_active: Option<bool>,
    /// The version that was edited; when another one is there by now, the edit is refused.
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(nullable = false)]
    version: Option<i32>,
}

/// Edit a portal user. New roles and deactivation act within a second.
#[utoipa::path(
    operation_id = "update_portal_user",
    tag = "portal-users",
    params(("id" = i64, Path, description = "Id of the portal user")),
    responses(
        (status = 200, description = "The portal user as it is now", body = AccountView),
        (status = 409, description = "`version_conflict`: somebody has edited it meanwhile; `last_admin`: nobody would be left; `own_account`: deactivating or demoting oneself", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
        PathRefused,
        FieldsRefused,
    )
)]
#[put("/api/portal-users/{id}")]
pub(crate) async fn update_portal_user(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<i64>,
    request: Json<PortalUserEdit>,
) -> Result<Json<AccountView>, Problem> {
    Fields::of(&*request).check()?;
    let request = request.into_inner();
    let roles = request.role_ids.as_deref().map(fields::roles);
    if request.is_active == Some(false) {
        refuse_self(&caller, *id, "deactivate")?;
    }
    if roles.as_ref().is_some_and(|roles| !roles.contains(&Role::Admin)) {
        refuse_self(&caller, *id, "demote")?;
    }
    let edit = AccountEdit {
        email: request.email,
        roles,
        is_active: request.is_active,
        expected_version: request.version,
    };
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let edited = portal_users::update(&state.db, *id, edit, clock::now(), actor).await;
    match edited.map_err(Failure::from)? {
        Edited::Done { account, tokens_below } => {
            if let Some(below) = tokens_below {
                state.deny_user(account.id, below).await;
            }
            Ok(Json(account.into()))
        }
        Edited::Unknown => Err(not_found("portal user")),
        Edited::Stale => Err(conflict(
            "version_conflict",
            "The portal user was edited meanwhile; load it again.",
        )),
        Edited::LastAdmin => Err(last_admin()),
    }
}

/// Delete a portal user, who can do nothing more within a second. The name is not given away again.
#[utoipa::path(
    operation_id = "delete_portal_user",
    tag = "portal-users",
    params(("id" = i64, Path, description = "Id of the portal user")),
    responses(
        (status = 204, description = "The portal user is deleted"),
        (status = 409, description = "`last_admin`: nobody would be left; `own_account`: deleting oneself", body = ProblemBody, content_type = "application/problem+json"),
        PathRefused,
    )
)]
#[delete("/api/portal-users/{id}")]
pub(crate) async fn delete_portal_user(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<i64>,
) -> Result<HttpResponse, Problem> {
    refuse_self(&caller, *id, "delete")?;
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let deleted = portal_users::delete(&state.db, *id, clock::now(), actor).await;
    match deleted.map_err(Failure::from)? {
        Deleted::Done { tokens_below } => {
            state.deny_user(*id, tokens_below).await;
            Ok(HttpResponse::NoContent().finish())
        }
        Deleted::Unknown => Err(not_found("portal user")),
        Deleted::LastAdmin => Err(last_admin()),
    }
}

fn known_roles_if_given(ids: &Option<Vec<i32>>, context: &()) -> garde::Result {
    ids.as_deref().map_or(Ok(()), |ids| known_roles(ids, context))
}
