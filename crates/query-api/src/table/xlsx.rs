use std::io::{self, Write};

use actix_web::web::Bytes;
use rust_xlsxwriter::{ColNum, Format, RowNum, Workbook, XlsxError};
use tokio::sync::mpsc;

use super::{Cell, Kind, TableError};

/// Excel takes no more rows in a sheet, its header among them; further ones go on in `… 2`.
pub(super) const SHEET_ROWS: RowNum = 1_048_576;
/// Numbers of more digits would be rounded: they are written as text.
const EXACT: u64 = 1 << 53;
/// Longer texts are refused by Excel.
const LONGEST_TEXT: usize = 32_767;
const PIECE: usize = 128 * 1024;

/// A table as workbook. Rows go to temporary files as they come, so its size does not matter to memory.
pub(crate) struct XlsxTable {
    kinds: &'static [Kind],
    workbook: Workbook,
    sheets: Vec<Option<Sheet>>,
    header: Format,
    time: Format,
    sheet_rows: RowNum,
}

/// The sheet that the rows of a kind go to.
#[derive(Clone, Copy)]
struct Sheet {
    index: usize,
    next_row: RowNum,
    /// Counts the sheets of its kind, from 1.
    number: u32,
}

impl XlsxTable {
    pub(super) fn new(kinds: &'static [Kind]) -> Self {
        Self {
            kinds,
            workbook: Workbook::new(),
            sheets: vec![None; kinds.len()],
            header: Format::new().set_bold(),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000"),
            sheet_rows: SHEET_ROWS,
        }
    }

    pub(super) fn row(&mut self, kind: usize, cells: &[Cell]) -> Result<(), XlsxError> {
        let sheet = self.sheet(kind)?;
        let worksheet = self.workbook.worksheet_from_index(sheet.index)?;
        for (column, cell) in (0..).zip(cells) {
            let (row, column): (RowNum, ColNum) = (sheet.next_row, column);
            match cell {
                Cell::Empty => continue,
                Cell::Text(text) => worksheet.write_string(row, column, shortened(text))?,
                Cell::Number(number) if number.unsigned_abs() > EXACT => {
                    worksheet.write_string(row, column, number.to_string())?
                }
                Cell::Number(number) =>
                {
                    #[expect(clippy::cast_precision_loss, reason = "it has no more than 53 bits")]
                    worksheet.write_number(row, column, *number as f64)?
                }
                Cell::Time(time) => worksheet.write_number_with_format(row, column, excel_days(*time), &self.time)?,
            };
        }
        Ok(())
    }

    /// The sheet for the next row of a kind, which is taken by that.
    fn sheet(&mut self, kind: usize) -> Result<Sheet, XlsxError> {
        self.begin_all()?;
        let sheet = match self.sheets[kind] {
            Some(sheet) if sheet.next_row < self.sheet_rows => sheet,
            other => self.begin(kind, other.map_or(1, |sheet| sheet.number + 1))?,
        };
        self.sheets[kind] = Some(Sheet {
            next_row: sheet.next_row + 1,
            ..sheet
        });
        Ok(sheet)
    }

    fn begin(&mut self, kind: usize, number: u32) -> Result<Sheet, XlsxError> {
        let Kind { sheet, columns, .. } = self.kinds[kind];
        let index = self.workbook.worksheets().len();
        let worksheet = self.workbook.add_worksheet_with_constant_memory()?;
        let name = if number == 1 {
            sheet.to_owned()
        } else {
            format!("{sheet} {number}")
        };
        worksheet.set_name(name)?.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(columns) {
            let is_time = name.ends_with("_utc");
            worksheet.set_column_width(column, if is_time { 23.0 } else { 18.0 })?;
            worksheet.write_string_with_format(0, column, *name, &self.header)?;
        }
        Ok(Sheet {
            index,
            next_row: 1,
            number,
        })
    }

    /// Completes the workbook and sends it piece by piece.
    ///
    /// # Errors
    /// [`TableError::Workbook`], also when nobody reads on.
    pub(super) fn send(&mut self, sender: mpsc::Sender<Result<Bytes, TableError>>) -> Result<(), TableError> {
        let mut pieces = Pieces {
            sender,
            piece: Vec::with_capacity(PIECE),
        };
        self.save(&mut pieces)?;
        Ok(pieces.flush()?)
    }

    fn save(&mut self, writer: impl Write + Send) -> Result<(), XlsxError> {
        self.begin_all()?;
        self.workbook.save_to_writer(writer)
    }

    /// Every kind has its sheet, in their order, also without a row.
    fn begin_all(&mut self) -> Result<(), XlsxError> {
        for kind in 0..self.kinds.len() {
            if self.sheets[kind].is_none() {
                self.sheets[kind] = Some(self.begin(kind, 1)?);
            }
        }
        Ok(())
    }
}

/// Sends what is written, in pieces of some size.
struct Pieces {
    sender: mpsc::Sender<Result<Bytes, TableError>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let sent = self.sender.blocking_send(Ok(Bytes::from(piece)));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads on"))
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// Days since 1899-12-30, as Excel counts them.
fn excel_days(time: time::OffsetDateTime) -> f64 {
    const EPOCH: f64 = 25_569.0;
    const DAY_MILLIS: f64 = 86_400_000.0;
    let millis = time.unix_timestamp_nanos() / 1_000_000;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of any year have less than 53 bits"
    )]
    let millis = millis as f64;
    EPOCH + millis / DAY_MILLIS
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    static KINDS: [Kind; 2] = [
        Kind {
            name: "fruit",
            sheet: "Fruit",
            columns: &["name", "eaten_at_utc"],
        },
        Kind {
            name: "end",
            sheet: "End",
            columns: &["note"],
        },
    ];

    #[test]
    fn times_are_excel_days() {
        assert!((excel_days(datetime!(1970-01-01 12:00 UTC)) - 25_569.5).abs() < 1e-9);
        assert!((excel_days(datetime!(2026-02-13 00:00 UTC)) - 46_066.0).abs() < 1e-9);
    }

    #[test]
    fn rows_that_a_sheet_does_not_take_go_on_in_the_next() {
        let mut table = XlsxTable::new(&KINDS);
        table.sheet_rows = 3;
        for n in 0..5 {
            table
                .row(0, &[Cell::Number(n), Cell::Time(datetime!(2026-02-13 12:00 UTC))])
                .unwrap();
        }
        let mut bytes = Vec::new();
        table.save(&mut bytes).unwrap();
        let names: Vec<String> = table.workbook.worksheets().iter().map(|sheet| sheet.name()).collect();
        assert_eq!(names, ["Fruit", "End", "Fruit 2", "Fruit 3"]);
        assert!(bytes.starts_with(b"PK"));
    }
}
