//! `GET /api/audit-logs/export`: every entry that matches, streamed, with what it takes to verify it offline.
//!
//! As CSV, `record_type` is `entry`, and `end` once; how cells are kept from running in a spreadsheet and read back is told
//! in `domain::audit_chain`. As JSON, it is one object: `{"entries":[…],"end":{…}}`. Without its end it is cut off.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use audit_actor::Acting;
use db::audit::{self, AuditPiece};
use domain::audit_chain::{BEFORE_THE_FIRST, COLUMNS, ChainedEntry, Head, end_cells, entry_cells, hex};
use domain::time_format::format_millis;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use service_kit::{Problem, ProblemBody, clock};
use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;
use utoipa::{IntoParams, ToSchema};

use crate::audit_filter::AuditFilterParams;
use crate::audit_logs::AuditEntryView;
use crate::error::Failure;
use crate::parameters::{And, Parameters, one_of};
use crate::{State, audit_filter, exporting};

/// How an export of the audit log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuditExportFormat {
    Csv,
    Json,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct AuditExportParams {
    /// `csv`, also when not given, or `json`.
    #[param(inline)]
    format: Option<AuditExportFormat>,
}

/// Export every entry of the audit log that matches, as of one instant, the oldest first.
///
/// The export is itself an entry. `audit verify --export FILE` proves it offline, with `--subset` when it was filtered. In CSV,
/// a cell that a spreadsheet would run as a formula begins with an apostrophe, which the verifier takes away again. The last
/// row (`end`), or the member `end`, says what is covered; an export without it is cut off.
#[utoipa::path(
    operation_id = "export_audit_logs",
    tag = "audit",
    params(AuditExportParams, AuditFilterParams),
    responses(
        (status = 200, description = "The entries", content(
            (String = "text/csv"),
            (AuditExportView = "application/json"),
        )),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away, or too many exports run", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/audit-logs/export")]
pub(crate) async fn export_audit_logs(
    state: Data<State>,
    acting: Acting,
    parameters: Parameters<And<AuditExportParams, AuditFilterParams>>,
) -> Result<HttpResponse, Problem> {
    let format = parameters
        .value("format", "csv or json", one_of)?
        .unwrap_or(AuditExportFormat::Csv);
    let filter = audit_filter::read(&parameters)?;
    exporting::record(&state, acting, ("audit_log", None), &format, &parameters).await?;
    let covers = if filter.is_everything() {
        "all entries"
    } else {
        "entries that match the filter"
    };
    let mut pieces = audit::stream(&state.exports, filter);
    // The first piece decides about the status: after it, a failure can only cut the answer off.
    pieces.recv().await.transpose().map_err(Failure::from)?;
    let now = clock::now();
    let export = Export {
        pieces,
        writer: Writer::of(format),
        end: Head {
            last_id: 0,
            entry_hash: BEFORE_THE_FIRST,
        },
        count: 0,
        covers,
        exported_at: now,
        is_begun: false,
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format.content_type()))
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", format.file_name(now)),
        ))
        .streaming(stream::try_unfold(Some(export), next)))
}

/// An export of the audit log as JSON.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditExport)]
pub(crate) struct AuditExportView {
    entries: Vec<AuditEntryView>,
    end: AuditExportEnd,
}

/// Where an export ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditExportEnd {
    /// Of the last entry of the export; 0 when it has none.
    last_id: i64,
    /// Its hash.
    entry_hash: String,
    /// RFC 3339 in UTC.
    exported_at: String,
    /// What is covered, for people.
    note: String,
}

/// How far an export has come.
struct Export {
    pieces: Receiver<Result<AuditPiece, db::Error>>,
    writer: Writer,
    end: Head,
    count: u64,
    covers: &'static str,
    exported_at: OffsetDateTime,
    is_begun: bool,
}

async fn next(export: Option<Export>) -> Result<Option<(Bytes, Option<Export>)>, Problem> {
    let Some(mut export) = export else { return Ok(None) };
    let piece = export.pieces.recv().await.transpose().map_err(Failure::from)?;
    if !export.is_begun {
        export.is_begun = true;
        export.writer.begin();
    }
    match piece {
        Some(AuditPiece::Entries(entries)) => {
            for entry in entries {
                export.write(entry);
            }
            Ok(Some((export.writer.take(), Some(export))))
        }
        Some(AuditPiece::End) => {
            let bytes = export.finish();
            Ok(Some((bytes, None)))
        }
        Some(AuditPiece::Begin(_)) | None => {
            Err(Problem::internal(anyhow::anyhow!("an export stopped before its end")))
        }
    }
}

impl Export {
    fn write(&mut self, entry: ChainedEntry) {
        self.end = Head {
            last_id: entry.id,
            entry_hash: entry.entry_hash,
        };
        self.writer.write(entry, self.count == 0);
        self.count += 1;
    }

    fn finish(mut self) -> Bytes {
        let exported_at = format_millis(self.exported_at);
        let note = format!(
            "Complete: {}, as of {exported_at}; {} entries; times are UTC.",
            self.covers, self.count
        );
        self.writer.end(self.end, &exported_at, &note);
        self.writer.take()
    }
}

/// Writes into memory, from where it is taken piece by piece.
enum Writer {
    Csv(Box<csv::Writer<Vec<u8>>>),
    Json(Vec<u8>),
}

impl Writer {
    fn of(format: AuditExportFormat) -> Self {
        match format {
            AuditExportFormat::Csv => Self::Csv(Box::new(csv_writer())),
            AuditExportFormat::Json => Self::Json(Vec::new()),
        }
    }

    fn begin(&mut self) {
        match self {
            Self::Csv(writer) => row(writer, COLUMNS),
            Self::Json(bytes) => bytes.extend(b"{\"entries\":["),
        }
    }

    fn write(&mut self, entry: ChainedEntry, is_first: bool) {
        match self {
            Self::Csv(writer) => row(writer, entry_cells(&entry)),
            Self::Json(bytes) => {
                bytes.extend(if is_first { b"\n".as_slice() } else { b",\n" });
                append_json(bytes, &AuditEntryView::from(entry));
            }
        }
    }

    fn end(&mut self, end: Head, exported_at: &str, note: &str) {
        match self {
            Self::Csv(writer) => row(writer, end_cells(end, exported_at, note)),
            Self::Json(bytes) => {
                bytes.extend(b"\n],\"end\":");
                let end = AuditExportEnd {
                    last_id: end.last_id,
                    entry_hash: hex(&end.entry_hash),
                    exported_at: exported_at.to_owned(),
                    note: note.to_owned(),
                };
                append_json(bytes, &end);
                bytes.extend(b"}\n");
            }
        }
    }

    /// What was written since the last time.
    fn take(&mut self) -> Bytes {
        match self {
            Self::Csv(writer) => {
                let written = std::mem::replace(writer.as_mut(), csv_writer());
                Bytes::from(written.into_inner().expect("memory takes every row"))
            }
            Self::Json(bytes) => Bytes::from(std::mem::take(bytes)),
        }
    }
}

fn csv_writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new())
}

fn row(writer: &mut csv::Writer<Vec<u8>>, cells: [impl AsRef<[u8]>; COLUMNS.len()]) {
    writer
        .write_record(cells)
        .expect("memory takes every row, and every row has as many cells");
}

fn append_json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(bytes, value).expect("memory takes it, and every key is a text");
}

impl AuditExportFormat {
    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }

    fn file_name(self, now: OffsetDateTime) -> String {
        let time: String = format_millis(now).chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let extension = match self {
            Self::Csv => "csv",
            Self::Json => "json",
        };
        format!("audit-log-{}Z.{extension}", time.split('.').next().unwrap_or_default())
    }
}
