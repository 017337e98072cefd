//! `GET /api/analytics/dashboard`.

use std::time::{Duration as Age, Instant};

use access_token::Caller;
use actix_web::get;
use actix_web::web::Data;
use db::Db;
use db::dashboard;
use db::sessions::{SessionRow, SessionView};
use db::usage::{self as usage_totals, UsageFilter};
use domain::role::Role;
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::State;
use crate::activity::{self, ActivityHour};
use crate::error::Failure;
use crate::parameters::{NoParameters, Parameters};
use crate::server_health::ServerStatus;
use crate::servers::{self, ServerView};
use crate::top_users::TopUserView;
use crate::usage::{self, UsageBucket, UsageUnit};

const DAYS: i64 = 7;
const RECENT: u64 = 10;
const TOP: u64 = 10;

/// What happens now. Days and hours are UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dashboard {
    active_sessions: u64,
    /// VPN users.
    total_users: u64,
    /// People who may log in; null for all but admins.
    total_portal_users: Option<u64>,
    /// Sessions that connected today.
    sessions_today: i64,
    /// Bytes that flowed today.
    bytes_in_today: i64,
    bytes_out_today: i64,
    /// All but the retired ones, by name.
    servers: Vec<ServerView>,
    usage_data: UsageData,
    /// The 10 VPN users that moved most bytes within the last 7 days.
    top_users: Vec<TopUserView>,
    /// The last 10 connects, newest first.
    recent_connects: Vec<SessionView>,
    /// The last 10 ends, newest first.
    recent_disconnects: Vec<SessionView>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UsageData {
    /// The last 7 days, today the last; a day without sessions is there too.
    days: Vec<UsageDay>,
    /// The last 24 hours, the current one the last.
    hours: Vec<ActivityHour>,
    /// Bytes are counted until then; null before the first count.
    #[serde(serialize_with = "time_format::optional_millis")]
    bytes_as_of: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UsageDay {
    #[schema(value_type = String, format = Date, example = "2026-02-13")]
    date: String,
    /// Sessions that connected.
    sessions: i64,
    /// VPN users who connected.
    vpn_users: i64,
    /// Bytes that flowed on that day, whenever their sessions connected.
    bytes_in: i64,
    bytes_out: i64,
}

/// What the charts show.
#[derive(Debug, Clone)]
struct Charts {
    usage: UsageData,
    top_users: Vec<TopUserView>,
}

/// The charts read every session of a week: they are kept for a while, and read once however many ask.
pub(crate) struct UsageCache {
    keep: Age,
    kept: Mutex<Option<(Instant, OffsetDateTime, Charts)>>,
}

impl UsageCache {
    pub(crate) fn new(keep: Age) -> Self {
        Self {
            keep,
            kept: Mutex::new(None),
        }
    }

    async fn get(&self, db: &Db, now: OffsetDateTime) -> Result<Charts, db::Error> {
        let mut kept = self.kept.lock().await;
        let hour = UsageUnit::Hour.start(now);
        if let Some((read_at, of_hour, charts)) = kept.as_ref()
            && *of_hour == hour
            && read_at.elapsed() < self.keep
        {
            return Ok(charts.clone());
        }
        let charts = Charts::read(db, now).await?;
        *kept = Some((Instant::now(), hour, charts.clone()));
        Ok(charts)
    }
}

impl Charts {
    async fn read(db: &Db, now: OffsetDateTime) -> Result<Self, db::Error> {
        let first = UsageUnit::Day.start(now) - Duration::days(DAYS - 1);
        let week = UsageFilter {
            from: first,
            to: now + Duration::MICROSECOND,
            server_ids: Vec::new(),
            user_types: Vec::new(),
        };
        let top_users = usage_totals::top_users(db, &week, TOP).await?;
        let usage = usage::usage_of(db, week, UsageUnit::Day, None).await?;
        Ok(Self {
            top_users: top_users.into_iter().map(TopUserView::from).collect(),
            usage: UsageData {
                hours: activity::hours(db, &[], now - Duration::hours(23), now).await?,
                bytes_as_of: usage.bytes_as_of(),
                days: usage.into_buckets().iter().map(UsageDay::from).collect(),
            },
        })
    }
}

impl From<&UsageBucket> for UsageDay {
    fn from(bucket: &UsageBucket) -> Self {
        let (start, sessions, vpn_users, bytes_in, bytes_out) = bucket.parts();
        Self {
            date: start.date().to_string(),
            sessions,
            vpn_users,
            bytes_in,
            bytes_out,
        }
    }
}

/// Show what happens now.
#[utoipa::path(
    operation_id = "get_dashboard",
    tag = "analytics",
    responses(
        (status = 200, description = "The figures", body = Dashboard),
        (status = 503, description = "The database is away or busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/analytics/dashboard")]
pub(crate) async fn get_dashboard(
    state: Data<State>,
    caller: Caller,
    _: Parameters<NoParameters>,
) -> Result<Json<Dashboard>, Problem> {
    let now = clock::now();
    let servers = servers::all(&state).await?;
    let charts = state.usage.get(&state.db, now).await.map_err(Failure::from)?;
    let today = charts.usage.days.last().cloned();
    let today = |part: fn(UsageDay) -> i64| today.clone().map_or(0, part);
    let (connects, disconnects) = recent(&state.db).await.map_err(Failure::from)?;
    Ok(Json(Dashboard {
        active_sessions: servers.iter().map(|server| server.active_sessions).sum(),
        total_users: dashboard::vpn_user_count(&state.db).await.map_err(Failure::from)?,
        total_portal_users: match caller.has(Role::Admin) {
            true => Some(dashboard::portal_user_count(&state.db).await.map_err(Failure::from)?),
            false => None,
        },
        sessions_today: today(|day| day.sessions),
        bytes_in_today: today(|day| day.bytes_in),
        bytes_out_today: today(|day| day.bytes_out),
        servers: servers
            .into_iter()
            .filter(|server| server.status != ServerStatus::Retired)
            .collect(),
        usage_data: charts.usage,
        top_users: charts.top_users,
        recent_connects: views(connects, now),
        recent_disconnects: views(disconnects, now),
    }))
}

async fn recent(db: &Db) -> Result<(Vec<SessionRow>, Vec<SessionRow>), db::Error> {
    Ok((
        dashboard::recent_connects(db, RECENT).await?,
        dashboard::recent_disconnects(db, RECENT).await?,
    ))
}

fn views(rows: Vec<SessionRow>, now: OffsetDateTime) -> Vec<SessionView> {
    rows.into_iter().map(|row| row.view(now)).collect()
}
