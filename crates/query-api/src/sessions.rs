//! `GET /api/sessions`, `GET /api/vpn-users/{id}/sessions`.

use actix_web::get;
use actix_web::web::{Data, Path};
use db::paging::{Page, TimeCursor};
use db::sessions::{self, SessionFilter, SessionRow, SessionView};
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Failure, not_found};
use crate::page::{self, PageInfo, PageParams};
use crate::parameters::{And, Parameters};
use crate::session_filter::{SessionFilterParams, SessionHolderParams};
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
pub(crate) struct SessionSortParams {
    /// `connected_at`, or where at most 10,000 sessions match `last_seen_at`, `disconnected_at`, `duration_seconds`, `bytes_in`,
    /// `bytes_out`, `real_ip`, `virtual_ip`, `common_name`, `server_instance`, `session_status`; `-` before it descends.
    /// Unknown values come last.
    #[param(example = "-connected_at")]
    sort: Option<String>,
}

/// List sessions.
#[utoipa::path(
    operation_id = "list_sessions",
    tag = "sessions",
    params(SessionFilterParams, SessionHolderParams, SessionSortParams, PageParams),
    responses(
        (status = 200, description = "A page of sessions", body = SessionList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions")]
pub(crate) async fn list_sessions(
    state: Data<State>,
    parameters: Parameters<And<And<SessionFilterParams, SessionHolderParams>, And<SessionSortParams, PageParams>>>,
) -> Result<Json<SessionList>, Problem> {
    let filter = session_filter::read(&state.db, &parameters).await?;
    Ok(Json(list(&state, &parameters, &filter).await?))
}

/// List the sessions of a VPN user.
#[utoipa::path(
    operation_id = "list_vpn_user_sessions",
    tag = "vpn-users",
    params(("id" = i64, Path, description = "Id of the VPN user"), SessionFilterParams, SessionSortParams, PageParams),
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
    parameters: Parameters<And<SessionFilterParams, And<SessionSortParams, PageParams>>>,
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
