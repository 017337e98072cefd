//! `GET /api/audit-logs/verify`.

use std::time::Instant;

use actix_web::get;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::audit::{self, Trusted};
use domain::audit_chain::{FirstBad, Report};
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody};
use utoipa::ToSchema;

use crate::State;
use crate::error::Failure;
use crate::parameters::{NoParameters, Parameters};

/// What a verification of the whole audit log found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditVerification {
    /// Entries read.
    entries: u64,
    /// The last entry up to which all is as it was written; 0 for none.
    verified_to: i64,
    /// Signed heads of the chain that were compared.
    checkpoints: u64,
    /// The last entry that a signed head vouches for; 0 for none.
    signed_to: i64,
    /// Null when every entry is as it was written.
    first_bad: Option<FirstBadEntry>,
    /// How long it took.
    seconds: f64,
}

/// The first entry that is not as it was written.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FirstBadEntry {
    id: i64,
    /// `edited`, `deleted`, `reordered`, `inserted`, `cut_off`, `rewritten` or `bad_checkpoint`.
    #[schema(example = "edited")]
    fault: &'static str,
    /// What was found, for people.
    detail: String,
}

/// Verify the whole audit log against its hashes and the signed heads.
///
/// The keys are those that the database names. Whoever does not trust it runs `audit verify` with keys and checkpoints of
/// his own.
#[utoipa::path(
    operation_id = "verify_audit_logs",
    tag = "audit",
    responses(
        (status = 200, description = "What was found", body = AuditVerification),
        (status = 400, description = "A parameter is not known", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Another verification runs, or the database is away", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/audit-logs/verify")]
pub(crate) async fn verify_audit_logs(
    state: Data<State>,
    _: Parameters<NoParameters>,
) -> Result<Json<AuditVerification>, Problem> {
    let Ok(_only_one) = state.verifying.try_lock() else {
        let detail = "Another verification runs on this replica; try again soon.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "verification_running", detail).retry_after(5));
    };
    let begun = Instant::now();
    let report = audit::verify(&state.exports, Trusted::default())
        .await
        .map_err(Failure::from)?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(bad) = &report.first_bad {
        tracing::error!(
            entry = bad.id,
            fault = bad.fault.as_str(),
            "the audit log is not as it was written: {bad}"
        );
    }
    metrics::histogram!("audit_verification_seconds").record(seconds);
    Ok(Json(AuditVerification::of(report, seconds)))
}

impl AuditVerification {
    fn of(report: Report, seconds: f64) -> Self {
        Self {
            entries: report.entries,
            verified_to: report.verified_to,
            checkpoints: report.checkpoints,
            signed_to: report.signed_to,
            first_bad: report.first_bad.map(FirstBadEntry::from),
            seconds,
        }
    }
}

impl From<FirstBad> for FirstBadEntry {
    fn from(bad: FirstBad) -> Self {
        Self {
            id: bad.id,
            fault: bad.fault.as_str(),
            detail: bad.detail,
        }
    }
}
