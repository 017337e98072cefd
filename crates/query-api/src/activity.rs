//! `GET /api/analytics/activity`: sessions over time, by hour.

use actix_web::get;
use actix_web::web::Data;
use db::Db;
use db::activity::{self, HourActivity};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};

use crate::error::Failure;
use crate::parameters::Parameters;
use crate::usage::UsageUnit;
use crate::{State, servers, time_range};

/// What happened within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ActivityHour {
    #[serde(serialize_with = "time_format::millis")]
    hour: OffsetDateTime,
    /// Sessions that connected.
    connects: i64,
    /// Sessions that ended.
    disconnects: i64,
    /// The most sessions that were active at once at any instant of the hour.
    active: i64,
    /// Sessions that were active at its end, or are now.
    active_at_end: i64,
}

/// Sessions over time, by hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    /// Every hour of the range that has begun, in the order of time.
    hours: Vec<ActivityHour>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct ActivityParams {
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// RFC 3339 time, or a day from its beginning in UTC; taken down to its hour. The 24th hour until now when not given.
    from_date: Option<String>,
    /// RFC 3339 time, or a day until its end in UTC; now when not given. At most 31 days after `from_date`.
    to_date: Option<String>,
}

/// Show sessions over time, by hour.
///
/// A session counts as active from its connect to its end; where nobody reported the end, to its last proof of life.
#[utoipa::path(
    operation_id = "get_activity",
    tag = "analytics",
    params(ActivityParams),
    responses(
        (status = 200, description = "The hours", body = Activity),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away or busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/analytics/activity")]
pub(crate) async fn get_activity(
    state: Data<State>,
    parameters: Parameters<ActivityParams>,
) -> Result<Json<Activity>, Problem> {
    let now = clock::now();
    let (from, to) = time_range::read(&parameters, now, Duration::hours(23), Duration::days(31))?;
    let servers: Vec<i32> = servers::named(&state.db, &parameters).await?.into_values().collect();
    let hours = hours(&state.db, &servers, from, to.min(now))
        .await
        .map_err(Failure::from)?;
    Ok(Json(Activity { hours }))
}

/// Every hour from that of `from` on that begins before `to`.
pub(crate) async fn hours(
    db: &Db,
    server_ids: &[i32],
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<Vec<ActivityHour>, db::Error> {
    let from = UsageUnit::Hour.start(from);
    let known = activity::by_hour(db, server_ids, from, to).await?;
    Ok(every_hour(&known, from, to))
}

/// Hours in which nothing happened have what was active before them.
fn every_hour(known: &[HourActivity], from: OffsetDateTime, to: OffsetDateTime) -> Vec<ActivityHour> {
    let mut active = 0;
    let mut hours = Vec::new();
    let mut hour = from;
    while hour < to {
        let found = known.iter().find(|known| known.hour == hour);
        let most = found.map_or(active, |found| found.most_active.max(active));
        active = found.map_or(active, |found| found.last_active);
        hours.push(ActivityHour {
            hour,
            connects: found.map_or(0, |found| found.connects),
            disconnects: found.map_or(0, |found| found.ends),
            active: most,
            active_at_end: active,
        });
        hour += Duration::HOUR;
    }
    hours
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_quiet_hour_has_what_was_active_before_it() {
        let from = datetime!(2026-02-13 10:00 UTC);
        let known = |hour, most_active, last_active| HourActivity {
            hour,
            connects: 1,
            ends: 2,
            most_active,
            last_active,
        };
        let known = [known(from, 5, 4), known(from + Duration::hours(2), 3, 3)];
        let hours = every_hour(&known, from, from + Duration::minutes(150));
        let active: Vec<_> = hours.iter().map(|hour| (hour.active, hour.active_at_end)).collect();
        assert_eq!(active, [(5, 4), (4, 4), (4, 3)]);
        assert_eq!((hours[1].connects, hours[2].disconnects), (0, 2));
    }
}
