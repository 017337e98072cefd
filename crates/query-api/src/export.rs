//! `GET /api/sessions/export`: every session that matches, streamed.
//!
//! One table, so that any CSV reader takes it. `record_type` tells its rows apart: `session` rows first, then a `gap` row for
//! each range of missing events that touches what is covered, then one `end` row that says what the export covers. An export
//! without its `end` row is cut off.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use db::entities::enums::{SessionStatus, UserType};
use db::sessions::{self, ExportItem, SessionSort};
use domain::time_format::format_millis;
use futures_util::stream;
use serde::Deserialize;
use service_kit::{Problem, ProblemBody, clock};
use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;
use utoipa::{IntoParams, ToSchema};

use crate::error::{Failure, invalid_parameter};
use crate::export_rows::Rows;
use crate::parameters::{Parameters, one_of};
use crate::{State, session_filter};

/// How an export is written.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExportFormat {
    Csv,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct ExportParams {
    /// `csv`, also when not given.
    #[param(inline)]
    format: Option<ExportFormat>,
    /// Status; repeat it or separate by commas for several.
    #[param(required = false)]
    status: Vec<SessionStatus>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Id of a VPN user.
    user_id: Option<i64>,
    /// Type of the VPN user; repeat it or separate by commas for several.
    #[param(required = false)]
    user_type: Vec<UserType>,
    /// Part of the VPN user's common name, full name or e-mail.
    search: Option<String>,
    /// Address or network that holds the real or a virtual address.
    ip: Option<String>,
    /// Sessions that connected at or after: RFC 3339 time, or a day from its beginning in UTC.
    from_date: Option<String>,
    /// Sessions that connected at or before: RFC 3339 time, or a day until its end in UTC.
    to_date: Option<String>,
    /// `connected_at` or `-connected_at`, the latter when not given.
    sort: Option<String>,
}

/// Export every session that matches, as of one instant.
///
/// `record_type` is `session`, then `gap` for each range of missing events of the VPN servers and the time that the export
/// covers, then `end` once, which says what it covers; a file without it is cut off. Times are UTC. Cells that a
/// spreadsheet would run as a formula begin with an apostrophe.
#[utoipa::path(
    operation_id = "export_sessions",
    tag = "sessions",
    params(ExportParams),
    responses(
        (status = 200, description = "CSV (RFC 4180, UTF-8) with a header row", body = String, content_type = "text/csv"),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away, or too many exports run", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions/export")]
pub(crate) async fn export_sessions(
    state: Data<State>,
    parameters: Parameters<ExportParams>,
) -> Result<HttpResponse, Problem> {
    let ExportFormat::Csv = parameters.value("format", "csv", one_of)?.unwrap_or(ExportFormat::Csv);
    let filter = session_filter::read(&state.db, &parameters).await?;
    let order = session_filter::order(&parameters)?;
    if order.sort != SessionSort::ConnectedAt {
        return Err(invalid_parameter(
            "sort",
            "An export is sorted by `connected_at` or `-connected_at`.",
        ));
    }
    let mut pieces = sessions::export(&state.exports, filter, order.descending);
    // The first piece decides about the status: after it, a failure can only cut the answer off.
    let first = pieces.recv().await.transpose().map_err(Failure::from)?;
    let now = clock::now();
    let rows = Rows::new(covers(&parameters), now);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file_name(now)),
        ))
        .streaming(stream::try_unfold(Stage::Header { first, pieces, rows }, next)))
}

/// How far an export has come.
enum Stage {
    Header {
        first: Option<ExportItem>,
        pieces: Receiver<Result<ExportItem, db::Error>>,
        rows: Rows,
    },
    Pieces {
        pieces: Receiver<Result<ExportItem, db::Error>>,
        rows: Rows,
    },
    End,
}

async fn next(stage: Stage) -> Result<Option<(Bytes, Stage)>, Problem> {
    let (item, pieces, mut rows) = match stage {
        Stage::Header {
            first,
            pieces,
            mut rows,
        } => {
            rows.write_header();
            (first, pieces, rows)
        }
        Stage::Pieces { mut pieces, rows } => (pieces.recv().await.transpose().map_err(Failure::from)?, pieces, rows),
        Stage::End => return Ok(None),
    };
    let next = match item {
        Some(ExportItem::Sessions(sessions)) => {
            sessions.into_iter().for_each(|session| rows.write_session(session));
            let bytes = rows.take();
            return Ok(Some((bytes, Stage::Pieces { pieces, rows })));
        }
        Some(ExportItem::Gaps(gaps)) => {
            gaps.into_iter().for_each(|gap| rows.write_gap(gap));
            rows.write_end();
            Stage::End
        }
        None => return Err(Problem::internal(anyhow::anyhow!("an export stopped before its end"))),
    };
    Ok(Some((rows.take(), next)))
}

fn covers(parameters: &Parameters<ExportParams>) -> String {
    let filters: Vec<String> = parameters
        .pairs()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if filters.is_empty() {
        "all sessions".to_owned()
    } else {
        format!("sessions with {}", filters.join(" "))
    }
}

fn file_name(now: OffsetDateTime) -> String {
    let time: String = format_millis(now).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("sessions-{}Z.csv", time.split('.').next().unwrap_or_default())
}
