//! `GET /api/sessions`, `GET /api/vpn-users/{id}/sessions`.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use db::entities::enums::{SessionStatus, UserType};
use db::paging::{Page, TimeCursor};
use db::sessions::{self, SessionFilter, SessionRow, SessionView};
use serde::Serialize;
use service_kit::{Problem, ProblemBody, clock};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Failure, not_found};
use crate::page::{self, PageInfo};
use crate::parameters::Parameters;
use crate::{State, session_filter};

/// Sessions, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    sessions: Vec<SessionView>,
    #[serde(flatten)]
    page: PageInfo,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct SessionsParams {
    /// Status; repeat it or separate by commas for several.
    #[param(required = false)]
    status: Vec<SessionStatus>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Id of a VPN user.
    user_id: Option<i64>,
    /// Type of the VPN user; repeat it or separate by commas for several.
    #[param(required = false)]
    user_type: Vec<UserType>,
    /// Part of the VPN user's common name, full name or e-mail.
    search: Option<String>,
    /// Address (`10.8.0.2`, `fd00::2`) or network (`10.8.0.0/24`) that holds the real or a virtual address.
    #[param(example = "10.8.0.0/24")]
    ip: Option<String>,
    /// Address or network that holds the real address.
    #[param(example = "203.0.113.0/24")]
    real_ip: Option<String>,
    /// Address or network that holds a virtual address.
    #[param(example = "10.8.0.2")]
    virtual_ip: Option<String>,
    /// Sessions that connected at or after: RFC 3339 time, or a day from its beginning in UTC.
    #[param(example = "2026-02-13")]
    from_date: Option<String>,
    /// Sessions that connected at or before: RFC 3339 time, or a day until its end in UTC.
    #[param(example = "2026-02-13T12:00:00Z")]
    to_date: Option<String>,
    /// `connected_at`, or where at most 10,000 sessions match `last_seen_at`, `disconnected_at`, `duration_seconds`, `bytes_in`,
    /// `bytes_out`, `real_ip`, `virtual_ip`, `common_name`, `server_instance`, `session_status`; `-` before it descends.
    /// Unknown values come last.
    #[param(example = "-connected_at")]
    sort: Option<String>,
    /// Page number, from 1.
    #[param(minimum = 1)]
    page: Option<u64>,
    /// Rows of a page; 50 when not given.
    #[param(minimum = 1, maximum = 500)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before, instead of `page`: costs the same at any depth.
    cursor: Option<String>,
}

/// List sessions.
#[utoipa::path(
    operation_id = "list_sessions",
    tag = "sessions",
    params(SessionsParams),
    responses(
        (status = 200, description = "A page of sessions", body = SessionList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions")]
pub(crate) async fn list_sessions(
    state: Data<State>,
    parameters: Parameters<SessionsParams>,
) -> Result<Json<SessionList>, Problem> {
    let filter = session_filter::read(&state.db, &parameters).await?;
    Ok(Json(list(&state, &parameters, &filter).await?))
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct UserSessionsParams {
    /// Status; repeat it or separate by commas for several.
    #[param(required = false)]
    status: Vec<SessionStatus>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Address or network that holds the real or a virtual address.
    ip: Option<String>,
    /// Address or network that holds the real address.
    real_ip: Option<String>,
    /// Address or network that holds a virtual address.
    virtual_ip: Option<String>,
    /// Sessions that connected at or after: RFC 3339 time, or a day from its beginning in UTC.
    from_date: Option<String>,
    /// Sessions that connected at or before: RFC 3339 time, or a day until its end in UTC.
    to_date: Option<String>,
    /// As in `GET /api/sessions`.
    sort: Option<String>,
    /// Page number, from 1.
    #[param(minimum = 1)]
    page: Option<u64>,
    /// Rows of a page; 50 when not given.
    #[param(minimum = 1, maximum = 500)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before, instead of `page`.
    cursor: Option<String>,
}

/// List the sessions of a VPN user.
#[utoipa::path(
    operation_id = "list_vpn_user_sessions",
    tag = "vpn-users",
    params(("id" = i64, Path, description = "Id of the VPN user"), UserSessionsParams),
    responses(
        (status = 200, description = "A page of sessions", body = SessionList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN user", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/vpn-users/{id}/sessions")]
pub(crate) async fn list_vpn_user_sessions(
    state: Data<State>,
    id: Path<i64>,
    parameters: Parameters<UserSessionsParams>,
) -> Result<Json<SessionList>, Problem> {
    let mut filter = session_filter::read(&state.db, &parameters).await?;
    let user = db::vpn_users::metadata(&state.db, *id).await.map_err(Failure::from)?;
    user.ok_or_else(|| not_found("VPN user"))?;
    filter.vpn_user_id = Some(*id);
    Ok(Json(list(&state, &parameters, &filter).await?))
}

async fn list<P: IntoParams>(
    state: &State,
    parameters: &Parameters<P>,
    filter: &SessionFilter,
) -> Result<SessionList, Problem> {
    let order = session_filter::order(parameters)?;
    let request = page::request(parameters, session_filter::cursor_direction(order))?;
    let page: Page<SessionRow, TimeCursor> = sessions::list(&state.db, filter, order, &request)
        .await
        .map_err(Failure::from)?;
    let info = PageInfo::of(&request, &page);
    let now = clock::now();
    Ok(SessionList {
        sessions: page.rows.into_iter().map(|row| row.view(now)).collect(),
        page: info,
    })
}
