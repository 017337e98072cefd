//! `GET /api/sessions/{id}/traffic`: the bytes of a session over its time.

use actix_web::get;
use actix_web::web::{Data, Path};
use db::entities::vpn_session;
use db::sessions::{self, CounterReading};
use domain::session::ByteCount;
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;
use crate::error::{Failure, not_found};
use crate::parameters::{NoParameters, Parameters};

/// Most readings that are taken into account.
const MOST_READINGS: u64 = 100_000;
/// Most points that are shown.
const MOST_POINTS: usize = 1_000;

/// The bytes of a session over its time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionTraffic)]
pub(crate) struct Traffic {
    session_id: Uuid,
    /// In the order of time. The first is the connect, with 0 bytes; at most 1,001. Where there are more readings, a point is the
    /// last of several, and its rate the mean of theirs.
    points: Vec<TrafficPoint>,
    /// Readings that the points stand for.
    readings: u64,
    /// The daemon's counters began again at least once; `bytes_in` and `bytes_out` go on nevertheless.
    counters_were_reset: bool,
    /// Bytes a second, from the connect to the last reading. Null without one.
    average_rate_in: Option<f64>,
    average_rate_out: Option<f64>,
    /// The highest rate between two readings.
    peak_rate_in: Option<Peak>,
    peak_rate_out: Option<Peak>,
}

/// The session's bytes at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TrafficPoint {
    #[serde(serialize_with = "time_format::millis")]
    at: OffsetDateTime,
    /// Since the connect. Null while nothing was counted.
    bytes_in: Option<i64>,
    bytes_out: Option<i64>,
    /// Bytes a second since the point before. Null for the first, and where no time passed.
    rate_in: Option<f64>,
    rate_out: Option<f64>,
}

/// The highest rate between two readings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Peak {
    bytes_per_second: f64,
    #[serde(serialize_with = "time_format::millis")]
    from: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    to: OffsetDateTime,
}

/// Show the traffic of a session over its time.
///
/// From the counters of its own events; what only a snapshot told is not among them.
#[utoipa::path(
    operation_id = "get_session_traffic",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "Id of the session")),
    responses(
        (status = 200, description = "The traffic; no points but the connect when no event counted bytes", body = Traffic),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such session", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions/{id}/traffic")]
pub(crate) async fn get_session_traffic(
    state: Data<State>,
    id: Path<Uuid>,
    _: Parameters<NoParameters>,
) -> Result<Json<Traffic>, Problem> {
    let row = sessions::find(&state.db, *id).await.map_err(Failure::from)?;
    let session = row.ok_or_else(|| not_found("session"))?.session;
    let readings = sessions::readings(&state.db, &session, MOST_READINGS)
        .await
        .map_err(Failure::from)?;
    Ok(Json(traffic(&session, &readings)))
}

fn traffic(session: &vpn_session::Model, readings: &[CounterReading]) -> Traffic {
    let all = points(session.connected_at, readings);
    let last = all.last().filter(|_| all.len() > 1);
    let average = |bytes: fn(&TrafficPoint) -> Option<i64>| {
        last.and_then(|last| rate(session.connected_at, last.at, Some(0), bytes(last)))
    };
    Traffic {
        session_id: session.id,
        readings: readings.len() as u64,
        counters_were_reset: session.bytes_in_base > 0 || session.bytes_out_base > 0,
        average_rate_in: average(|point| point.bytes_in),
        average_rate_out: average(|point| point.bytes_out),
        peak_rate_in: peak(&all, |point| point.rate_in),
        peak_rate_out: peak(&all, |point| point.rate_out),
        points: thinned(all),
    }
}

/// The connect and every reading, with counters that go on where the daemon's began again.
fn points(connected_at: OffsetDateTime, readings: &[CounterReading]) -> Vec<TrafficPoint> {
    let (mut bytes_in, mut bytes_out) = (ByteCount::default(), ByteCount::default());
    let mut points = vec![TrafficPoint {
        at: connected_at,
        bytes_in: Some(0),
        bytes_out: Some(0),
        rate_in: None,
        rate_out: None,
    }];
    for reading in readings {
        read(&mut bytes_in, reading.bytes_in);
        read(&mut bytes_out, reading.bytes_out);
        // A clock that was set back must not turn the chart back.
        let at = points.last().map_or(reading.at, |before| before.at.max(reading.at));
        let point = TrafficPoint {
            at,
            bytes_in: total(bytes_in),
            bytes_out: total(bytes_out),
            rate_in: None,
            rate_out: None,
        };
        points.push(point);
    }
    with_rates(points)
}

fn read(count: &mut ByteCount, reading: Option<i64>) {
    if let Some(reading) = reading.and_then(|reading| u64::try_from(reading).ok()) {
        count.read(reading);
    }
}

fn total(count: ByteCount) -> Option<i64> {
    count.total().and_then(|total| i64::try_from(total).ok())
}

fn with_rates(mut points: Vec<TrafficPoint>) -> Vec<TrafficPoint> {
    for index in 1..points.len() {
        let (before, rest) = points.split_at_mut(index);
        let (before, point) = (&before[index - 1], &mut rest[0]);
        point.rate_in = rate(before.at, point.at, before.bytes_in, point.bytes_in);
        point.rate_out = rate(before.at, point.at, before.bytes_out, point.bytes_out);
    }
    points
}

#[expect(clippy::cast_precision_loss, reason = "a rate is no exact figure")]
fn rate(from: OffsetDateTime, to: OffsetDateTime, before: Option<i64>, after: Option<i64>) -> Option<f64> {
    let seconds = (to - from).as_seconds_f64();
    let bytes = after?.saturating_sub(before.unwrap_or_default()) as f64;
    (seconds > 0.0).then(|| bytes / seconds)
}

fn peak(points: &[TrafficPoint], rate: fn(&TrafficPoint) -> Option<f64>) -> Option<Peak> {
    let pairs = points.windows(2).filter_map(|pair| Some((rate(&pair[1])?, pair)));
    let highest = pairs.max_by(|one, other| one.0.total_cmp(&other.0));
    highest.map(|(bytes_per_second, pair)| Peak {
        bytes_per_second,
        from: pair[0].at,
        to: pair[1].at,
    })
}

/// Leaves the first, the last, and as many in between as are shown.
fn thinned(points: Vec<TrafficPoint>) -> Vec<TrafficPoint> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let (last, step) = (points.len() - 1, points.len().div_ceil(MOST_POINTS));
    let kept = points.into_iter().enumerate();
    let kept = kept.filter(|(index, _)| index % step == 0 || *index == last);
    with_rates(kept.map(|(_, point)| point).collect())
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-02-13 12:00 UTC);

    fn reading(seconds: i64, bytes_in: i64, bytes_out: Option<i64>) -> CounterReading {
        CounterReading {
            at: START + Duration::seconds(seconds),
            bytes_in: Some(bytes_in),
            bytes_out,
        }
    }

    #[test]
    fn counters_that_begin_again_go_on_and_rates_are_never_negative() {
        let points = points(
            START,
            &[reading(10, 100, None), reading(20, 40, Some(7)), reading(30, 60, None)],
        );
        let totals: Vec<_> = points.iter().map(|point| point.bytes_in).collect();
        assert_eq!(totals, [Some(0), Some(100), Some(140), Some(160)]);
        let rates: Vec<_> = points.iter().map(|point| point.rate_in).collect();
        assert_eq!(rates, [None, Some(10.0), Some(4.0), Some(2.0)]);
        assert_eq!((points[1].bytes_out, points[2].rate_out), (None, Some(0.7)));
        let peak = peak(&points, |point| point.rate_in).unwrap();
        assert_eq!((peak.bytes_per_second, peak.from), (10.0, START));
    }

    #[test]
    fn a_long_session_is_thinned_to_what_a_chart_shows() {
        let readings: Vec<CounterReading> = (1..=4_500).map(|n| reading(n * 60, n * 600, Some(n))).collect();
        let thin = thinned(points(START, &readings));
        assert!(thin.len() <= MOST_POINTS + 1, "{}", thin.len());
        assert_eq!(thin.last().unwrap().bytes_in, Some(4_500 * 600));
        assert!(thin[1..].iter().all(|point| point.rate_in == Some(10.0)));
    }

    #[test]
    fn two_readings_of_one_instant_have_no_rate_between_them() {
        let points = points(START, &[reading(0, 5, None), reading(-5, 9, None)]);
        assert_eq!(
            (points[1].rate_in, points[2].rate_in, points[2].at),
            (None, None, START)
        );
    }
}
