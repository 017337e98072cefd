//! `GET /api/portal-roles`, `PUT /api/portal-roles/{id}`: the roles, and whether they demand a second factor.

use access_token::Caller;
use actix_web::web::{Data, Path};
use actix_web::{get, put};
use audit_actor::Origin;
use db::portal_roles::{self, PortalRole};
use domain::role::Role;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, clock};
use utoipa::ToSchema;

use crate::State;
use crate::answers::{BodyRefused, PathRefused};
use crate::error::{Failure, not_found};

/// A role.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortalRole)]
pub(crate) struct PortalRoleView {
    id: i32,
    #[schema(example = "admin")]
    name: String,
    description: String,
    /// Those who have the role and no second factor can do nothing but enrol one.
    requires_totp: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PortalRoleList {
    roles: Vec<PortalRoleView>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalRoleEdit {
    requires_totp: bool,
}

/// List the roles.
#[utoipa::path(
    operation_id = "list_portal_roles",
    tag = "portal-users",
    responses((status = 200, description = "The four roles", body = PortalRoleList))
)]
#[get("/api/portal-roles")]
pub(crate) async fn list_portal_roles(state: Data<State>) -> Result<Json<PortalRoleList>, Problem> {
    let roles = portal_roles::list(&state.db).await.map_err(Failure::from)?;
    Ok(Json(PortalRoleList {
        roles: roles.into_iter().map(PortalRoleView::from).collect(),
    }))
}

/// Demand a second factor of everybody with a role, or no more.
#[utoipa::path(
    operation_id = "update_portal_role",
    tag = "portal-users",
    params(("id" = i32, Path, description = "Id of the role", minimum = 1, maximum = 4)),
    responses((status = 200, description = "The role as it is now", body = PortalRoleView), BodyRefused, PathRefused)
)]
#[put("/api/portal-roles/{id}")]
pub(crate) async fn update_portal_role(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<i32>,
    edit: Json<PortalRoleEdit>,
) -> Result<Json<PortalRoleView>, Problem> {
    let role = Role::from_id(*id).ok_or_else(|| not_found("role"))?;
    let edited = portal_roles::set_requires_totp(
        &state.db,
        role,
        edit.requires_totp,
        clock::now(),
        origin.actor(Some(caller.portal_user_id), &caller.username),
    )
    .await
    .map_err(Failure::from)?;
    for (portal_user_id, below) in edited.tokens_below {
        state.deny_user(portal_user_id, below).await;
    }
    Ok(Json(edited.role.into()))
}

impl From<PortalRole> for PortalRoleView {
    fn from(role: PortalRole) -> Self {
        Self {
            id: role.id,
            name: role.name,
            description: role.description,
            requires_totp: role.requires_totp,
        }
    }
}
