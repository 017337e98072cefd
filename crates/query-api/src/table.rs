//! Tables that are written row by row: as CSV while they grow, as Excel workbook once they are complete.
//!
//! A table has several kinds of rows. In CSV, which any reader takes, all are in one table, and `record_type` tells them apart;
//! in a workbook each kind has a sheet of its own.

mod csv;
mod xlsx;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use domain::time_format::format_millis;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tracing::Span;
use utoipa::ToSchema;

use crate::error::Failure;
use crate::table::csv::CsvTable;
use crate::table::xlsx::XlsxTable;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExportFormat {
    /// RFC 4180, UTF-8, with a header row; streamed.
    Csv,
    /// Excel workbook; it arrives when it is complete.
    Xlsx,
}

/// An Excel workbook.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "documents what is answered")]
pub(crate) struct Workbook(Vec<u8>);

/// A kind of rows.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its `record_type` in CSV.
    pub(crate) name: &'static str,
    /// Its sheet in a workbook.
    pub(crate) sheet: &'static str,
    /// Kinds may share columns.
    pub(crate) columns: &'static [&'static str],
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Empty,
    Text(String),
    Number(i64),
    Time(OffsetDateTime),
}

impl Cell {
    pub(crate) fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    pub(crate) fn number(number: Option<impl Into<i64>>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.into()))
    }

    pub(crate) fn time(time: Option<OffsetDateTime>) -> Self {
        time.map_or(Self::Empty, Self::Time)
    }

    /// What is shown as text although it is none, such as an address.
    pub(crate) fn shown(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Empty, |value| Self::Text(value.to_string()))
    }

    /// The API's name of an enumeration's value.
    pub(crate) fn name(value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(serde_json::Value::String(name)) => Self::Text(name),
            _ => Self::Empty,
        }
    }
}

/// Why a table cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error("the workbook cannot be written")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    #[error("the workbook cannot be sent")]
    Sending(#[from] std::io::Error),
    #[error("the rows stopped before their end")]
    Stopped,
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Database(error) => Failure::from(error).into(),
            other => Self::internal(other),
        }
    }
}

/// A table in the making.
pub(crate) enum Table {
    Csv(Box<CsvTable>),
    Xlsx(Box<XlsxTable>),
}

impl Table {
    fn new(format: ExportFormat, kinds: &'static [Kind]) -> Self {
        match format {
            ExportFormat::Csv => Self::Csv(Box::new(CsvTable::new(kinds))),
            ExportFormat::Xlsx => Self::Xlsx(Box::new(XlsxTable::new(kinds))),
        }
    }

    /// Adds a row of the kind with this index; `cells` are those of its columns.
    pub(crate) fn row(&mut self, kind: usize, cells: &[Cell]) -> Result<(), TableError> {
        match self {
            Self::Csv(table) => table.row(kind, cells),
            Self::Xlsx(table) => table.row(kind, cells)?,
        }
        Ok(())
    }
}

/// Pieces that wait for the reader.
const WAITING: usize = 4;

/// Answers with a table that `fill` writes, step by step: it is called until it says that there is nothing more. It runs on a
/// thread that may wait. What fails before the first bytes decides about the status; after them the answer is cut off.
pub(crate) async fn answer<F>(
    format: ExportFormat,
    kinds: &'static [Kind],
    name: &str,
    now: OffsetDateTime,
    mut fill: F,
) -> Result<HttpResponse, Problem>
where
    F: FnMut(&mut Table) -> Result<bool, TableError> + Send + 'static,
{
    let (sender, mut pieces) = mpsc::channel::<Result<Bytes, TableError>>(WAITING);
    let span = Span::current();
    tokio::task::spawn_blocking(move || {
        let _entered = span.entered();
        if let Err(error) = write(format, kinds, &mut fill, &sender) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    let first = pieces.recv().await.unwrap_or(Err(TableError::Stopped))?;
    let rest = stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((piece.map_err(Problem::from), pieces))
    });
    let all = futures_util::StreamExt::chain(stream::iter([Ok(first)]), rest);
    Ok(head(format, name, now).streaming(all))
}

fn write(
    format: ExportFormat,
    kinds: &'static [Kind],
    fill: &mut impl FnMut(&mut Table) -> Result<bool, TableError>,
    sender: &mpsc::Sender<Result<Bytes, TableError>>,
) -> Result<(), TableError> {
    let mut table = Table::new(format, kinds);
    // Nobody reads on: nothing more is written.
    while !sender.is_closed() {
        let goes_on = fill(&mut table)?;
        if let Table::Csv(csv) = &mut table
            && sender.blocking_send(Ok(csv.take())).is_err()
        {
            return Ok(());
        }
        if !goes_on {
            break;
        }
    }
    match table {
        Table::Xlsx(mut workbook) if !sender.is_closed() => workbook.send(sender.clone()),
        _ => Ok(()),
    }
}

/// The head of an answer that is a file.
pub(crate) fn head(format: ExportFormat, name: &str, now: OffsetDateTime) -> HttpResponseBuilder {
    let (content_type, extension) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        ExportFormat::Xlsx => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
    };
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CONTENT_DISPOSITION, attachment(name, extension, now)));
    answer
}

/// `attachment; filename="sessions-20260213T120000Z.csv"`
pub(crate) fn attachment(name: &str, extension: &str, now: OffsetDateTime) -> String {
    let time: String = format_millis(now).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let time = time.split('.').next().unwrap_or_default();
    format!("attachment; filename=\"{name}-{time}Z.{extension}\"")
}
