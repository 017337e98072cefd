//! `GET /api/auth/me`: who the access token belongs to.

use access_token::Caller;
use actix_web::get;
use domain::role::Role;
use serde::Serialize;
use service_kit::{Json, ProblemBody};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    id: i64,
    username: String,
    roles: Vec<RoleView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleView {
    id: i32,
    #[schema(example = "admin")]
    name: &'static str,
}

/// Who am I?
#[utoipa::path(
    operation_id = "get_me",
    tag = "auth",
    responses(
        (status = 200, description = "The caller", body = Me),
        (status = 401, description = "No valid access token", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The token cannot be verified at the moment", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/auth/me")]
pub(crate) async fn get_me(caller: Caller) -> Json<Me> {
    let roles = caller.roles.into_iter().map(RoleView::from).collect();
    Json(Me {
        id: caller.portal_user_id,
        username: caller.username,
        roles,
    })
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id(),
            name: role.as_str(),
        }
    }
}
