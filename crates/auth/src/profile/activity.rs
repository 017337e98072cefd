//! `GET /api/profile/logins`, `GET /api/profile/audit`: what one has done lately, or somebody in one's name.

use std::net::IpAddr;

use access_token::Caller;
use actix_web::get;
use actix_web::web::Data;
use db::portal_users::{self, Attempt, OwnEntry};
use domain::time_format;
use serde::Serialize;
use serde_json::Value;
use service_kit::{Json, Problem};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::State;
use crate::error::Failure;

/// Rows of each list.
const LATEST: u64 = 10;

/// An attempt to log in with the caller's username.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginView {
    #[serde(serialize_with = "time_format::millis")]
    at: OffsetDateTime,
    #[schema(value_type = Option<String>)]
    ip_address: Option<IpAddr>,
    user_agent: Option<String>,
    /// `accepted`, or why not: `wrong_password`, `wrong_otp`, `inactive`, `locked`.
    outcome: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginHistory {
    /// The last 10 that succeeded, newest first.
    logins: Vec<LoginView>,
    /// The last 10 that failed, newest first.
    failures: Vec<LoginView>,
}

/// An entry of the audit log about something that the caller did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnEntryView {
    id: i64,
    #[serde(serialize_with = "time_format::millis")]
    created_at: OffsetDateTime,
    action: String,
    object_type: String,
    object_id: Option<String>,
    /// Values before and after.
    details: Value,
    ip_address: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnEntries {
    /// The last 10, newest first.
    entries: Vec<OwnEntryView>,
}

/// Show one's own latest logins.
#[utoipa::path(
    operation_id = "list_profile_logins",
    tag = "profile",
    responses((status = 200, description = "Logins, and attempts that failed", body = LoginHistory))
)]
#[get("/api/profile/logins")]
pub(crate) async fn list_profile_logins(state: Data<State>, caller: Caller) -> Result<Json<LoginHistory>, Problem> {
    let latest = |accepted| portal_users::logins(&state.db, caller.portal_user_id, accepted, LATEST);
    let (logins, failures) = (latest(true).await, latest(false).await);
    let view = |attempts: Vec<Attempt>| attempts.into_iter().map(LoginView::from).collect();
    Ok(Json(LoginHistory {
        logins: logins.map(view).map_err(Failure::from)?,
        failures: failures.map(view).map_err(Failure::from)?,
    }))
}

/// Show what one did lately, as the audit log has it.
#[utoipa::path(
    operation_id = "list_profile_audit",
    tag = "profile",
    responses((status = 200, description = "The latest entries", body = OwnEntries))
)]
#[get("/api/profile/audit")]
pub(crate) async fn list_profile_audit(state: Data<State>, caller: Caller) -> Result<Json<OwnEntries>, Problem> {
    let entries = portal_users::own_entries(&state.db, caller.portal_user_id, LATEST).await;
    let entries = entries.map_err(Failure::from)?;
    Ok(Json(OwnEntries {
        entries: entries.into_iter().map(OwnEntryView::from).collect(),
    }))
}

impl From<Attempt> for LoginView {
    fn from(attempt: Attempt) -> Self {
        Self {
            at: attempt.at,
            ip_address: attempt.ip_address,
            user_agent: attempt.user_agent,
            outcome: attempt.outcome,
        }
    }
}

impl From<OwnEntry> for OwnEntryView {
    fn from(entry: OwnEntry) -> Self {
        Self {
            id: entry.id,
            created_at: entry.created_at,
            action: entry.action,
            object_type: entry.object_type,
            object_id: entry.object_id,
            details: entry.details,
            ip_address: entry.ip_address,
        }
    }
}
