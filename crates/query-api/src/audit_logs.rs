//! `GET /api/audit-logs`.

use actix_web::get;
use actix_web::web::Data;
use db::audit;
use db::paging::TimeCursor;
use domain::audit_chain::{ChainedEntry, hex};
use serde::Serialize;
use serde_json::value::RawValue;
use service_kit::{Json, Problem, ProblemBody};
use utoipa::{IntoParams, ToSchema};

use crate::audit_filter::AuditFilterParams;
use crate::error::Failure;
use crate::page::{self, PageInfo, PageParams};
use crate::parameters::{And, Parameters};
use crate::session_filter::sort_key;
use crate::{State, audit_filter};

/// An entry of the audit log, with its place in the chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditEntryView {
    /// From 1, without gaps.
    id: i64,
    /// With microseconds, as it is hashed.
    #[schema(format = DateTime, example = "2026-02-13T12:00:00.123456Z")]
    created_at: String,
    /// Null for programs, command lines and those who failed to log in.
    actor_portal_user_id: Option<i64>,
    actor_name: String,
    #[schema(example = "update")]
    action: String,
    #[schema(example = "vpn_server")]
    object_type: String,
    object_id: Option<String>,
    /// `before` and `after` of a change, and whatever else belongs to the action. As JSON text it is byte for byte what is
    /// hashed.
    #[schema(value_type = Object)]
    details: Option<Box<RawValue>>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    /// `entry_hash` of the entry before, in hexadecimal digits; zeros for the first.
    previous_hash: String,
    /// SHA-256 of the entry, in hexadecimal digits.
    entry_hash: String,
}

impl From<ChainedEntry> for AuditEntryView {
    fn from(entry: ChainedEntry) -> Self {
        Self {
            id: entry.id,
            created_at: entry.created_at,
            actor_portal_user_id: entry.actor_portal_user_id,
            actor_name: entry.actor_name,
            action: entry.action,
            object_type: entry.object_type,
            object_id: entry.object_id,
            details: RawValue::from_string(entry.details).ok(),
            ip_address: entry.ip_address,
            user_agent: entry.user_agent,
            request_id: entry.request_id,
            previous_hash: hex(&entry.previous_hash),
            entry_hash: hex(&entry.entry_hash),
        }
    }
}

/// Entries of the audit log, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditLogList {
    entries: Vec<AuditEntryView>,
    #[serde(flatten)]
    page: PageInfo,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct AuditSortParams {
    /// `created_at` or `-created_at`, the latter when not given.
    sort: Option<String>,
}

/// List entries of the audit log.
#[utoipa::path(
    operation_id = "list_audit_logs",
    tag = "audit",
    params(AuditFilterParams, AuditSortParams, PageParams),
    responses(
        (status = 200, description = "A page of entries", body = AuditLogList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/audit-logs")]
pub(crate) async fn list_audit_logs(
    state: Data<State>,
    parameters: Parameters<And<AuditFilterParams, And<AuditSortParams, PageParams>>>,
) -> Result<Json<AuditLogList>, Problem> {
    let filter = audit_filter::read(&parameters)?;
    let descending = sort_key(&parameters, &[("created_at", ())])?.is_none_or(|((), descending)| descending);
    let request = page::request::<_, TimeCursor<i64>>(&parameters, Some(descending))?;
    let page = audit::list(&state.db, &filter, descending, &request)
        .await
        .map_err(Failure::from)?;
    let info = PageInfo::of(&request, &page);
    Ok(Json(AuditLogList {
        entries: page.rows.into_iter().map(AuditEntryView::from).collect(),
        page: info,
    }))
}
