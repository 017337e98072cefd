//! `GET /api/sessions/export`: every session that matches; `GET /api/sessions/{id}/export`: one.
//!
//! Rows are of three kinds: `session` rows first, then a `gap` row for each range of missing events that touches what is
//! covered, then one `end` row that says what the export covers. An export without its `end` row is cut off.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use audit_actor::Acting;
use db::sessions::{self, SessionFilter, SessionSort};
use serde::{Deserialize, Serialize};
use service_kit::{Problem, ProblemBody, clock};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::{Failure, invalid_parameter, not_found};
use crate::parameters::{And, Parameters, one_of};
use crate::session_detail::{self, SessionDetail};
use crate::session_filter::{SessionFilterParams, SessionHolderParams};
use crate::session_rows::{KINDS, SessionExport};
use crate::table::{self, ExportFormat, Workbook};
use crate::{State, exporting, session_filter};

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct ExportParams {
    /// `csv`, also when not given, or `xlsx`.
    #[param(inline)]
    format: Option<ExportFormat>,
    /// These sessions only; repeat it or separate by commas, at most 500.
    #[param(required = false)]
    id: Vec<Uuid>,
    /// `connected_at` or `-connected_at`, the latter when not given.
    sort: Option<String>,
}

/// Export every session that matches, as of one instant.
///
/// As CSV, `record_type` is `session`, then `gap` for each range of missing events of the VPN servers and the time that the
/// export covers, then `end` once, which says what it covers; a file without it is cut off. Cells that a spreadsheet would
/// run as a formula begin with an apostrophe. As workbook, these are the sheets `Sessions`, `Gaps` and `Coverage`; a sheet
/// takes 1,048,575 rows, further ones go on in `Sessions 2` and so on. CSV is streamed; a workbook begins to arrive once all its
/// rows are written. Times are UTC.
#[utoipa::path(
    operation_id = "export_sessions",
    tag = "sessions",
    params(ExportParams, SessionFilterParams, SessionHolderParams),
    responses(
        (status = 200, description = "CSV (RFC 4180, UTF-8) with a header row, or an Excel workbook", content(
            (String = "text/csv"),
            (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away, or too many exports run", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions/export")]
pub(crate) async fn export_sessions(
    state: Data<State>,
    acting: Acting,
    parameters: Parameters<And<ExportParams, And<SessionFilterParams, SessionHolderParams>>>,
) -> Result<HttpResponse, Problem> {
    let format = parameters
        .value("format", "csv or xlsx", one_of)?
        .unwrap_or(ExportFormat::Csv);
    let filter = session_filter::read(&state.db, &parameters).await?;
    let order = session_filter::order(&parameters)?;
    if order.sort != SessionSort::ConnectedAt {
        return Err(invalid_parameter(
            "sort",
            "An export is sorted by `connected_at` or `-connected_at`.",
        ));
    }
    exporting::record(&state, acting, ("vpn_session", None), &format, &parameters).await?;
    let covers = exporting::covers("sessions", &parameters);
    write(&state, filter, order.descending, format, "sessions", covers).await
}

async fn write(
    state: &State,
    filter: SessionFilter,
    descending: bool,
    format: ExportFormat,
    name: &str,
    covers: String,
) -> Result<HttpResponse, Problem> {
    let now = clock::now();
    let mut export = SessionExport {
        pieces: sessions::export(&state.exports, filter, descending),
        covers,
        exported_at: now,
        sessions: 0,
    };
    table::answer(format, &KINDS, name, now, move |table| export.step(table)).await
}

/// How an export of one session is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionExportFormat {
    Csv,
    Xlsx,
    Json,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct SessionExportParams {
    /// `json`, also when not given: all that `GET /api/sessions/{id}` tells. `csv` or `xlsx`: as in `GET /api/sessions/export`.
    #[param(inline)]
    format: Option<SessionExportFormat>,
}

/// Export one session.
#[utoipa::path(
    operation_id = "export_session",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "Id of the session"), SessionExportParams),
    responses(
        (status = 200, description = "The session, as JSON with its events and how its facts are known, as CSV or as workbook", content(
            (SessionDetail = "application/json"),
            (String = "text/csv"),
            (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, description = "The id is no UUID, or a parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such session", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away, or too many exports run", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions/{id}/export")]
pub(crate) async fn export_session(
    state: Data<State>,
    acting: Acting,
    id: Path<Uuid>,
    parameters: Parameters<SessionExportParams>,
) -> Result<HttpResponse, Problem> {
    let format = parameters
        .value("format", "csv, xlsx or json", one_of)?
        .unwrap_or(SessionExportFormat::Json);
    let detail = session_detail::detail(&state, *id).await.map_err(Failure::from)?;
    let detail = detail.ok_or_else(|| not_found("session"))?;
    let exported = ("vpn_session", Some(id.to_string()));
    exporting::record(&state, acting, exported, &format, &parameters).await?;
    let name = format!("session-{}", *id);
    let format = match format {
        SessionExportFormat::Csv => ExportFormat::Csv,
        SessionExportFormat::Xlsx => ExportFormat::Xlsx,
        SessionExportFormat::Json => {
            let attachment = table::attachment(&name, "json", clock::now());
            return Ok(HttpResponse::Ok()
                .insert_header((CONTENT_DISPOSITION, attachment))
                .json(detail));
        }
    };
    let filter = SessionFilter {
        ids: vec![*id],
        ..SessionFilter::default()
    };
    write(&state, filter, true, format, &name, format!("session {}", *id)).await
}
