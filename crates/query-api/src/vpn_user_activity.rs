//! `GET /api/vpn-users/{id}/activity`: a VPN user's days.

use actix_web::get;
use actix_web::web::{Data, Path};
use db::activity::{self, UserDay};
use db::{usage, vpn_users};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Date, Duration, OffsetDateTime, Time};
use utoipa::{IntoParams, ToSchema};

use crate::State;
use crate::error::{Failure, not_found};
use crate::parameters::Parameters;

/// A VPN user's days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VpnUserActivity {
    /// Bytes are counted until then; null before the first count.
    #[serde(serialize_with = "time_format::optional_millis")]
    bytes_as_of: Option<OffsetDateTime>,
    /// Every day in UTC, today the last.
    days: Vec<ActivityDay>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityDay {
    #[schema(value_type = String, format = Date, example = "2026-02-13")]
    date: String,
    /// Sessions that connected.
    sessions: i64,
    /// Bytes that flowed on that day, whenever their sessions connected.
    bytes_in: i64,
    bytes_out: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct ActivityParams {
    /// How many; 30 when not given.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// Show what a VPN user did by day.
#[utoipa::path(
    operation_id = "get_vpn_user_activity",
    tag = "vpn-users",
    params(("id" = i64, Path, description = "Id of the VPN user"), ActivityParams),
    responses(
        (status = 200, description = "The days", body = VpnUserActivity),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN user", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/vpn-users/{id}/activity")]
pub(crate) async fn get_vpn_user_activity(
    state: Data<State>,
    id: Path<i64>,
    parameters: Parameters<ActivityParams>,
) -> Result<Json<VpnUserActivity>, Problem> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|days| (1..=366).contains(days));
    let count = parameters
        .value("days", "a number from 1 to 366", number)?
        .unwrap_or(30);
    let user = vpn_users::metadata(&state.db, *id).await.map_err(Failure::from)?;
    user.ok_or_else(|| not_found("VPN user"))?;
    let first = clock::now().date() - Duration::days(i64::from(count) - 1);
    let since = first.with_time(Time::MIDNIGHT).assume_utc();
    let known = activity::of_user(&state.db, *id, since).await.map_err(Failure::from)?;
    let progress = usage::progress(&state.db).await.map_err(Failure::from)?;
    let days = (0..i64::from(count)).map(|offset| ActivityDay::of(first + Duration::days(offset), &known));
    Ok(Json(VpnUserActivity {
        bytes_as_of: progress.recent_until,
        days: days.collect(),
    }))
}

impl ActivityDay {
    fn of(date: Date, known: &[UserDay]) -> Self {
        let day = known.iter().find(|day| day.day == date);
        Self {
            date: date.to_string(),
            sessions: day.map_or(0, |day| day.sessions),
            bytes_in: day.map_or(0, |day| day.bytes_in),
            bytes_out: day.map_or(0, |day| day.bytes_out),
        }
    }
}
