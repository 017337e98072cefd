//! `GET /api/analytics/usage`: sessions, VPN users and bytes over time.

use std::collections::{BTreeSet, HashMap};

use actix_web::get;
use actix_web::web::Data;
use db::Db;
use db::entities::enums::UserType;
use db::usage::{self, Bucket, BucketUsage, GroupBy, UsageFilter};
use domain::time_format;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Date, Duration, Month, OffsetDateTime, Time};
use utoipa::{IntoParams, ToSchema};

use crate::error::Failure;
use crate::parameters::{Parameters, one_of};
use crate::{State, servers, time_range};

/// How far back usage is shown, unless a range is given.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Period {
    /// 24 hours by hour.
    Day,
    /// 7 days by day.
    Week,
    /// 30 days by day.
    Month,
    /// 12 months by month.
    Year,
}

/// What usage is split by.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UsageGroup {
    Server,
    UserType,
}

/// How long the parts of usage are; in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UsageUnit {
    Hour,
    Day,
    Month,
}

/// Usage over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Usage {
    #[serde(serialize_with = "time_format::millis")]
    from: OffsetDateTime,
    /// The first instant that is not covered.
    #[serde(serialize_with = "time_format::millis")]
    to: OffsetDateTime,
    unit: UsageUnit,
    /// Bytes are counted until then; null before the first count.
    #[serde(serialize_with = "time_format::optional_millis")]
    bytes_as_of: Option<OffsetDateTime>,
    /// One, or one for each group that has any usage, by name.
    series: Vec<UsageSeries>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageSeries {
    /// The VPN server or the user type; null when usage is not split, and for VPN users of unknown type.
    name: Option<String>,
    sessions: i64,
    bytes_in: i64,
    bytes_out: i64,
    /// Every part of the range, in the order of time.
    buckets: Vec<UsageBucket>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageBucket {
    #[serde(serialize_with = "time_format::millis")]
    start: OffsetDateTime,
    /// Sessions that connected.
    sessions: i64,
    /// VPN users who connected.
    vpn_users: i64,
    /// Bytes that flowed, whenever their sessions connected; between two readings of a counter they are spread evenly.
    bytes_in: i64,
    bytes_out: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct UsageParams {
    /// `week` when not given. With `from_date`, it decides about the parts only.
    #[param(inline)]
    period: Option<Period>,
    #[param(inline)]
    group_by: Option<UsageGroup>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Type of the VPN user; repeat it or separate by commas for several.
    #[param(required = false)]
    user_type: Vec<UserType>,
    /// RFC 3339 time, or a day from its beginning in UTC.
    from_date: Option<String>,
    /// RFC 3339 time, or a day until its end in UTC; now when not given.
    to_date: Option<String>,
}

/// Show usage over time.
#[utoipa::path(
    operation_id = "get_usage",
    tag = "analytics",
    params(UsageParams),
    responses(
        (status = 200, description = "The usage", body = Usage),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away or busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/analytics/usage")]
pub(crate) async fn get_usage(state: Data<State>, parameters: Parameters<UsageParams>) -> Result<Json<Usage>, Problem> {
    let period = parameters
        .value("period", "day, week, month or year", one_of)?
        .unwrap_or(Period::Week);
    let group = parameters.value("group_by", "server or user_type", one_of)?;
    let now = clock::now();
    let (usual, longest) = period.spans();
    let (from, to) = time_range::read(&parameters, now, usual, longest)?;
    let is_given = parameters.text("from_date")?.is_some();
    let filter = UsageFilter {
        from: if is_given { from } else { period.first(to) },
        to,
        server_ids: servers::named(&state.db, &parameters).await?.into_values().collect(),
        user_types: parameters.values("user_type", "internal, external, contractor or guest", one_of)?,
    };
    let usage = usage_of(&state.db, filter, period.unit(), group).await;
    Ok(Json(usage.map_err(Failure::from)?))
}

impl Period {
    fn unit(self) -> UsageUnit {
        match self {
            Self::Day => UsageUnit::Hour,
            Self::Week | Self::Month => UsageUnit::Day,
            Self::Year => UsageUnit::Month,
        }
    }

    /// The usual range and the longest.
    fn spans(self) -> (Duration, Duration) {
        match self {
            Self::Day => (Duration::DAY, Duration::days(31)),
            Self::Week => (Duration::WEEK, Duration::days(366)),
            Self::Month => (Duration::days(30), Duration::days(366)),
            Self::Year => (Duration::days(365), Duration::days(3_660)),
        }
    }

    /// Where the usual range begins, so that it has whole parts, the last one running.
    fn first(self, to: OffsetDateTime) -> OffsetDateTime {
        let last = self.unit().start(to - Duration::MICROSECOND);
        match self {
            Self::Day => last - Duration::hours(23),
            Self::Week => last - Duration::days(6),
            Self::Month => last - Duration::days(29),
            Self::Year => (0..11).fold(last, |start, _| UsageUnit::Month.start(start - Duration::DAY)),
        }
    }
}

impl UsageUnit {
    /// The beginning of the part that holds an instant.
    pub(crate) fn start(self, at: OffsetDateTime) -> OffsetDateTime {
        let at = at.to_offset(time::UtcOffset::UTC);
        match self {
            Self::Hour => at.replace_time(Time::from_hms(at.hour(), 0, 0).unwrap_or(Time::MIDNIGHT)),
            Self::Day => at.replace_time(Time::MIDNIGHT),
            Self::Month => at.replace_day(1).unwrap_or(at).replace_time(Time::MIDNIGHT),
        }
    }

    fn next(self, start: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::Hour => start.checked_add(Duration::HOUR),
            Self::Day => start.checked_add(Duration::DAY),
            Self::Month => {
                let (year, month) = match start.month() {
                    Month::December => (start.year() + 1, Month::January),
                    month => (start.year(), month.next()),
                };
                let first = Date::from_calendar_date(year, month, 1).ok()?;
                Some(first.with_time(Time::MIDNIGHT).assume_utc())
            }
        }
    }

    fn bucket(self) -> Bucket {
        match self {
            Self::Hour => Bucket::Hour,
            Self::Day => Bucket::Day,
            Self::Month => Bucket::Month,
        }
    }
}

/// Usage of a range, with every part of it.
pub(crate) async fn usage_of(
    db: &Db,
    filter: UsageFilter,
    unit: UsageUnit,
    group: Option<UsageGroup>,
) -> Result<Usage, db::Error> {
    let group_by = match group {
        None => GroupBy::Nothing,
        Some(UsageGroup::Server) => GroupBy::Server,
        Some(UsageGroup::UserType) => GroupBy::UserType,
    };
    let sessions = usage::sessions_by_bucket(db, &filter, unit.bucket(), group_by).await?;
    let bytes = usage::bytes_by_bucket(db, &filter, unit.bucket(), group_by).await?;
    Ok(Usage {
        from: filter.from,
        to: filter.to,
        unit,
        bytes_as_of: usage::progress(db).await?.recent_until,
        series: series(&filter, unit, group.is_none(), &sessions, &bytes),
    })
}

impl Usage {
    /// The parts of usage that is not split.
    pub(crate) fn into_buckets(self) -> Vec<UsageBucket> {
        self.series
            .into_iter()
            .next()
            .map(|series| series.buckets)
            .unwrap_or_default()
    }

    pub(crate) fn bytes_as_of(&self) -> Option<OffsetDateTime> {
        self.bytes_as_of
    }
}

impl UsageBucket {
    pub(crate) fn parts(&self) -> (OffsetDateTime, i64, i64, i64, i64) {
        (self.start, self.sessions, self.vpn_users, self.bytes_in, self.bytes_out)
    }
}

fn series(
    filter: &UsageFilter,
    unit: UsageUnit,
    is_one: bool,
    sessions: &[BucketUsage],
    bytes: &[BucketUsage],
) -> Vec<UsageSeries> {
    let mut names: BTreeSet<Option<&String>> = sessions.iter().chain(bytes).map(|usage| usage.name.as_ref()).collect();
    if is_one {
        names.insert(None);
    }
    let (sessions, bytes) = (by_place(sessions), by_place(bytes));
    let starts: Vec<OffsetDateTime> = std::iter::successors(Some(unit.start(filter.from)), |start| unit.next(*start))
        .take_while(|start| *start < filter.to)
        .collect();
    let one = |name: Option<&String>| {
        let buckets = starts.iter().map(|start| {
            let (sessions, vpn_users) = sessions.get(&(name, *start)).copied().unwrap_or_default();
            let (bytes_in, bytes_out) = bytes.get(&(name, *start)).copied().unwrap_or_default();
            UsageBucket {
                start: *start,
                sessions,
                vpn_users,
                bytes_in,
                bytes_out,
            }
        });
        UsageSeries::of(name.cloned(), buckets.collect())
    };
    names.into_iter().map(one).collect()
}

type Place<'u> = (Option<&'u String>, OffsetDateTime);

fn by_place(usage: &[BucketUsage]) -> HashMap<Place<'_>, (i64, i64)> {
    let place = |usage: &'_ BucketUsage| (usage.first, usage.second);
    usage
        .iter()
        .map(|usage| ((usage.name.as_ref(), usage.start), place(usage)))
        .collect()
}

impl UsageSeries {
    fn of(name: Option<String>, buckets: Vec<UsageBucket>) -> Self {
        let sum = |part: fn(&UsageBucket) -> i64| buckets.iter().map(part).fold(0, i64::saturating_add);
        Self {
            name,
            sessions: sum(|bucket| bucket.sessions),
            bytes_in: sum(|bucket| bucket.bytes_in),
            bytes_out: sum(|bucket| bucket.bytes_out),
            buckets,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn usual_ranges_have_whole_parts() {
        let now = datetime!(2026-03-31 12:34 UTC);
        assert_eq!(Period::Day.first(now), datetime!(2026-03-30 13:00 UTC));
        assert_eq!(Period::Week.first(now), datetime!(2026-03-25 0:00 UTC));
        assert_eq!(Period::Month.first(now), datetime!(2026-03-02 0:00 UTC));
        assert_eq!(Period::Year.first(now), datetime!(2025-04-01 0:00 UTC));
        assert_eq!(
            UsageUnit::Month.next(datetime!(2025-12-01 0:00 UTC)),
            Some(datetime!(2026-01-01 0:00 UTC))
        );
    }
}
