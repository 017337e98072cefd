//! `GET /api/servers/{id}/health`: the health of a VPN server over time.

use actix_web::get;
use actix_web::web::{Data, Path};
use db::health_history::{self, HealthPoint};
use db::servers;
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};

use crate::State;
use crate::error::{Failure, not_found};
use crate::parameters::Parameters;
use crate::time_range;

/// More are no use to a chart.
const MOST_SAMPLES: i64 = 500;
const LONGEST: Duration = Duration::days(31);

/// The health of a VPN server over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthHistory {
    #[serde(serialize_with = "time_format::millis")]
    from: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    to: OffsetDateTime,
    /// How long a part is; a heartbeat a minute is kept.
    step_seconds: i64,
    /// In the order of time; parts without heartbeat are left out. Empty for a VPN server whose agent sends none.
    samples: Vec<HealthSample>,
}

/// The highest values of a part. Unknown is null.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthSample {
    /// When the part begins, by our clock.
    #[serde(serialize_with = "time_format::millis")]
    at: OffsetDateTime,
    cpu_percent: Option<f64>,
    memory_percent: Option<f64>,
    load_1m: Option<f64>,
    /// Sessions by the daemon's own count.
    session_count: Option<i64>,
    /// Active sessions by ours.
    active_sessions: i64,
    /// Events that the agent had not sent yet.
    spool_depth: Option<i64>,
    /// Its clock minus ours, the one furthest off.
    clock_skew_ms: Option<i64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct HealthParams {
    /// RFC 3339 time, or a day from its beginning in UTC; 24 hours before `to_date` when not given.
    from_date: Option<String>,
    /// RFC 3339 time, or a day until its end in UTC; now when not given. At most 31 days after `from_date`.
    to_date: Option<String>,
}

/// Show the health of a VPN server over time.
#[utoipa::path(
    operation_id = "get_server_health",
    tag = "servers",
    params(("id" = i32, Path, description = "Id of the VPN server"), HealthParams),
    responses(
        (status = 200, description = "The health", body = HealthHistory),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN server", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/servers/{id}/health")]
pub(crate) async fn get_server_health(
    state: Data<State>,
    id: Path<i32>,
    parameters: Parameters<HealthParams>,
) -> Result<Json<HealthHistory>, Problem> {
    let (from, to) = time_range::read(&parameters, clock::now(), Duration::DAY, LONGEST)?;
    let found = servers::find(&state.db, *id).await.map_err(Failure::from)?;
    found.ok_or_else(|| not_found("VPN server"))?;
    let minutes = u32::try_from((to - from).whole_minutes() / MOST_SAMPLES + 1).unwrap_or(1);
    let points = health_history::history(&state.db, *id, from, to, minutes)
        .await
        .map_err(Failure::from)?;
    Ok(Json(HealthHistory {
        from,
        to,
        step_seconds: i64::from(minutes) * 60,
        samples: points.into_iter().map(HealthSample::from).collect(),
    }))
}

impl From<HealthPoint> for HealthSample {
    fn from(point: HealthPoint) -> Self {
        Self {
            at: point.at,
            cpu_percent: point.cpu_percent,
            memory_percent: point.memory_percent,
            load_1m: point.load_1m,
            session_count: point.session_count,
            active_sessions: point.active_sessions,
            spool_depth: point.spool_depth,
            clock_skew_ms: point.clock_skew_ms,
        }
    }
}
