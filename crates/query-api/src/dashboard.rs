//! `GET /api/analytics/dashboard`.

use std::time::{Duration as Age, Instant};

use access_token::Caller;
use actix_web::get;
use actix_web::web::{Data, Json};
use db::Db;
use db::dashboard::{self, DayUsage};
use db::sessions::{SessionRow, SessionView};
use domain::role::Role;
use serde::Serialize;
use service_kit::{Problem, ProblemBody, clock};
use time::{Date, Duration, OffsetDateTime, Time};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::State;
use crate::error::Failure;
use crate::parameters::{NoParameters, Parameters};
use crate::server_health::ServerStatus;
use crate::servers;

const DAYS: i64 = 7;
const RECENT: u64 = 10;

/// What happens now. Days are UTC days; bytes are those of the sessions that connected on the day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dashboard {
    active_sessions: u64,
    /// VPN users.
    total_users: u64,
    /// People who may log in; null for all but admins.
    total_portal_users: Option<u64>,
    /// Sessions that connected today.
    sessions_today: i64,
    bytes_in_today: i64,
    bytes_out_today: i64,
    /// All but the retired ones.
    servers: Vec<DashboardServer>,
    usage_data: UsageData,
    /// The last 10 connects, newest first.
    recent_connects: Vec<SessionView>,
    /// The last 10 ends, newest first.
    recent_disconnects: Vec<SessionView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DashboardServer {
    id: i32,
    name: String,
    active_sessions: u64,
    status: ServerStatus,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UsageData {
    /// The last 7 days, today the last; a day without sessions is there too.
    days: Vec<UsageDay>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UsageDay {
    #[schema(value_type = String, format = Date, example = "2026-02-13")]
    date: String,
    sessions: i64,
    /// VPN users who connected.
    vpn_users: i64,
    bytes_in: i64,
    bytes_out: i64,
}

/// Usage per day reads every session of a week: it is kept for a while, and read once however many ask.
pub(crate) struct UsageCache {
    keep: Age,
    kept: Mutex<Option<(Instant, Date, UsageData)>>,
}

impl UsageCache {
    pub(crate) fn new(keep: Age) -> Self {
        Self {
            keep,
            kept: Mutex::new(None),
        }
    }

    async fn get(&self, db: &Db, today: Date) -> Result<UsageData, db::Error> {
        let mut kept = self.kept.lock().await;
        if let Some((read_at, day, usage)) = kept.as_ref()
            && *day == today
            && read_at.elapsed() < self.keep
        {
            return Ok(usage.clone());
        }
        let first = today - Duration::days(DAYS - 1);
        let read = dashboard::usage_by_day(db, first.with_time(Time::MIDNIGHT).assume_utc()).await?;
        let usage = UsageData {
            days: (0..DAYS)
                .map(|offset| day(first + Duration::days(offset), &read))
                .collect(),
        };
        *kept = Some((Instant::now(), today, usage.clone()));
        Ok(usage)
    }
}

fn day(date: Date, read: &[DayUsage]) -> UsageDay {
    let usage = read.iter().find(|usage| usage.day == date);
    UsageDay {
        date: date.to_string(),
        sessions: usage.map_or(0, |usage| usage.sessions),
        vpn_users: usage.map_or(0, |usage| usage.vpn_users),
        bytes_in: usage.map_or(0, |usage| usage.bytes_in),
        bytes_out: usage.map_or(0, |usage| usage.bytes_out),
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
    let usage_data = state.usage.get(&state.db, now.date()).await.map_err(Failure::from)?;
    let today = usage_data.days.last().cloned().unwrap_or_else(|| day(now.date(), &[]));
    let (connects, disconnects) = recent(&state.db).await.map_err(Failure::from)?;
    Ok(Json(Dashboard {
        active_sessions: servers.iter().map(|server| server.active_sessions).sum(),
        total_users: dashboard::vpn_user_count(&state.db).await.map_err(Failure::from)?,
        total_portal_users: match caller.has(Role::Admin) {
            true => Some(dashboard::portal_user_count(&state.db).await.map_err(Failure::from)?),
            false => None,
        },
        sessions_today: today.sessions,
        bytes_in_today: today.bytes_in,
        bytes_out_today: today.bytes_out,
        servers: servers
            .into_iter()
            .filter(|server| server.status != ServerStatus::Retired)
            .map(DashboardServer::from)
            .collect(),
        usage_data,
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

impl From<servers::ServerView> for DashboardServer {
    fn from(server: servers::ServerView) -> Self {
        Self {
            id: server.id,
            name: server.name,
            active_sessions: server.active_sessions,
            status: server.status,
        }
    }
}
