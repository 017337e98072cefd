//! `GET /api/portal-users`, `GET /api/portal-users/{id}`.

use actix_web::get;
use actix_web::web::{Data, Path, Query};
use db::portal_users::{self, AccountFilter, AccountOrder, AccountSort};
use domain::role::Role;
use garde::Validate;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody};
use utoipa::{IntoParams, ToSchema};

use crate::State;
use crate::account_view::AccountView;
use crate::answers::PathRefused;
use crate::error::{Failure, invalid_parameter, not_found};
use crate::fields::plain_text;

/// Whether a portal user may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PortalUserStatus {
    Active,
    Inactive,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
pub(crate) enum PortalUserSort {
    #[serde(rename = "username")]
    Username,
    #[serde(rename = "-username")]
    UsernameDescending,
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "-email")]
    EmailDescending,
    #[serde(rename = "last_portal_login_at")]
    LastPortalLoginAt,
    #[serde(rename = "-last_portal_login_at")]
    LastPortalLoginAtDescending,
    #[serde(rename = "created_at")]
    CreatedAt,
    #[serde(rename = "-created_at")]
    CreatedAtDescending,
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalUsersQuery {
    /// Part of the username or e-mail, in any case.
    #[garde(inner(length(chars, min = 1, max = 200), custom(plain_text)))]
    #[param(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    search: Option<String>,
    /// Those who have this role, perhaps among others.
    #[garde(skip)]
    #[param(value_type = Option<String>, pattern = "^(admin|operator|viewer|auditor)$")]
    role: Option<Role>,
    #[garde(skip)]
    #[param(inline)]
    status: Option<PortalUserStatus>,
    /// `-` before the field descends. Unknown values come last. By `username` when not given.
    #[garde(skip)]
    #[param(inline)]
    sort: Option<PortalUserSort>,
    /// Page number, from 1.
    #[garde(inner(range(min = 1, max = 1_000_000_000)))]
    #[param(minimum = 1, maximum = 1_000_000_000)]
    page: Option<u64>,
    /// Rows of a page; 50 when not given.
    #[garde(inner(range(min = 1, max = 500)))]
    #[param(minimum = 1, maximum = 500)]
    per_page: Option<u64>,
}

/// Portal users, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PortalUserList {
    users: Vec<AccountView>,
    /// Of all that match.
    total: u64,
    page: u64,
    per_page: u64,
    pages: u64,
}

/// List portal users.
#[utoipa::path(
    operation_id = "list_portal_users",
    tag = "portal-users",
    params(PortalUsersQuery),
    responses(
        (status = 200, description = "A page of portal users", body = PortalUserList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/portal-users")]
pub(crate) async fn list_portal_users(
    state: Data<State>,
    query: Query<PortalUsersQuery>,
) -> Result<Json<PortalUserList>, Problem> {
    query.validate().map_err(|report| {
        let wrong = report
            .iter()
            .next()
            .map(|(path, error)| (path.to_string(), error.to_string()));
        let (name, error) = wrong.unwrap_or_default();
        invalid_parameter(&name, format!("`{name}`: {error}."))
    })?;
    let query = query.into_inner();
    let (page, per_page) = (query.page.unwrap_or(1), query.per_page.unwrap_or(50));
    let filter = AccountFilter {
        search: query.search,
        role: query.role,
        is_active: query.status.map(|status| status == PortalUserStatus::Active),
    };
    let order = order(query.sort.unwrap_or(PortalUserSort::Username));
    let found = portal_users::list(&state.db, &filter, order, (page - 1) * per_page, per_page).await;
    let found = found.map_err(Failure::from)?;
    Ok(Json(PortalUserList {
        users: found.accounts.into_iter().map(AccountView::from).collect(),
        total: found.total,
        page,
        per_page,
        pages: found.total.div_ceil(per_page),
    }))
}

/// Show a portal user.
#[utoipa::path(
    operation_id = "get_portal_user",
    tag = "portal-users",
    params(("id" = i64, Path, description = "Id of the portal user")),
    responses((status = 200, description = "The portal user", body = AccountView), PathRefused)
)]
#[get("/api/portal-users/{id}")]
pub(crate) async fn get_portal_user(state: Data<State>, id: Path<i64>) -> Result<Json<AccountView>, Problem> {
    let account = portal_users::find_account(&state.db, *id)
        .await
        .map_err(Failure::from)?;
    Ok(Json(account.ok_or_else(|| not_found("portal user"))?.into()))
}

fn order(sort: PortalUserSort) -> AccountOrder {
    use PortalUserSort as Sort;
    let (sort, descending) = match sort {
        Sort::Username => (AccountSort::Username, false),
        Sort::UsernameDescending => (AccountSort::Username, true),
        Sort::Email => (AccountSort::Email, false),
        Sort::EmailDescending => (AccountSort::Email, true),
        Sort::LastPortalLoginAt => (AccountSort::LastPortalLoginAt, false),
        Sort::LastPortalLoginAtDescending => (AccountSort::LastPortalLoginAt, true),
        Sort::CreatedAt => (AccountSort::CreatedAt, false),
        Sort::CreatedAtDescending => (AccountSort::CreatedAt, true),
    };
    AccountOrder { sort, descending }
}
