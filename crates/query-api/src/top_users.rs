//! `GET /api/analytics/top-users`: the VPN users that moved most bytes.

use actix_web::get;
use actix_web::web::Data;
use db::entities::enums::UserType;
use db::usage::{self, TopUser, UsageFilter};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};

use crate::error::Failure;
use crate::parameters::{Parameters, one_of};
use crate::{State, servers, time_range};

/// The VPN users that moved most bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopUsers {
    #[serde(serialize_with = "time_format::millis")]
    from: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    to: OffsetDateTime,
    /// Bytes are counted until then; null before the first count.
    #[serde(serialize_with = "time_format::optional_millis")]
    bytes_as_of: Option<OffsetDateTime>,
    /// Most bytes first.
    users: Vec<TopUserView>,
}

/// A VPN user with the bytes that flowed within a range, in whole hours.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TopUser)]
pub(crate) struct TopUserView {
    vpn_user_id: i64,
    common_name: String,
    full_name: Option<String>,
    bytes_in: i64,
    bytes_out: i64,
    /// Sessions that connected within the range.
    sessions: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct TopUsersParams {
    /// How many; 10 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Type of the VPN user; repeat it or separate by commas for several.
    #[param(required = false)]
    user_type: Vec<UserType>,
    /// RFC 3339 time, or a day from its beginning in UTC; 7 days before `to_date` when not given.
    from_date: Option<String>,
    /// RFC 3339 time, or a day until its end in UTC; now when not given. At most 366 days after `from_date`.
    to_date: Option<String>,
}

/// Show the VPN users that moved most bytes.
#[utoipa::path(
    operation_id = "get_top_users",
    tag = "analytics",
    params(TopUsersParams),
    responses(
        (status = 200, description = "The VPN users", body = TopUsers),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away or busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/analytics/top-users")]
pub(crate) async fn get_top_users(
    state: Data<State>,
    parameters: Parameters<TopUsersParams>,
) -> Result<Json<TopUsers>, Problem> {
    let number = |text: &str| text.parse().ok().filter(|limit| (1..=100).contains(limit));
    let limit = parameters
        .value("limit", "a number from 1 to 100", number)?
        .unwrap_or(10);
    let (from, to) = time_range::read(&parameters, clock::now(), Duration::WEEK, Duration::days(366))?;
    let filter = UsageFilter {
        from,
        to,
        server_ids: servers::named(&state.db, &parameters).await?.into_values().collect(),
        user_types: parameters.values("user_type", "internal, external, contractor or guest", one_of)?,
    };
    let users = usage::top_users(&state.db, &filter, limit)
        .await
        .map_err(Failure::from)?;
    let progress = usage::progress(&state.db).await.map_err(Failure::from)?;
    Ok(Json(TopUsers {
        from,
        to,
        bytes_as_of: progress.recent_until,
        users: users.into_iter().map(TopUserView::from).collect(),
    }))
}

impl From<TopUser> for TopUserView {
    fn from(user: TopUser) -> Self {
        Self {
            vpn_user_id: user.vpn_user_id,
            common_name: user.common_name,
            full_name: user.full_name,
            bytes_in: user.bytes_in,
            bytes_out: user.bytes_out,
            sessions: user.sessions,
        }
    }
}
