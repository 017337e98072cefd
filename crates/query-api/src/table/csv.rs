use ::csv::{Terminator, Writer, WriterBuilder};
use actix_web::web::Bytes;
use domain::time_format::format_millis;

use super::{Cell, Kind};
use crate::csv_cells::neutral;

/// A table as CSV, taken from memory piece by piece.
pub(crate) struct CsvTable {
    kinds: &'static [Kind],
    columns: Vec<&'static str>,
    writer: Writer<Vec<u8>>,
}

const RECORD_TYPE: &str = "record_type";

impl CsvTable {
    pub(super) fn new(kinds: &'static [Kind]) -> Self {
        let mut columns = vec![RECORD_TYPE];
        for column in kinds.iter().flat_map(|kind| kind.columns) {
            if !columns.contains(column) {
                columns.push(column);
            }
        }
        let mut table = Self {
            kinds,
            columns,
            writer: writer(),
        };
        let header: Vec<String> = table.columns.iter().map(|column| (*column).to_owned()).collect();
        table.write(&header);
        table
    }

    pub(super) fn row(&mut self, kind: usize, cells: &[Cell]) {
        let kind = &self.kinds[kind];
        let mut row = vec![String::new(); self.columns.len()];
        row[0].push_str(kind.name);
        for (column, cell) in kind.columns.iter().zip(cells) {
            if let Some(place) = self.columns.iter().position(|other| other == column) {
                row[place] = text(cell);
            }
        }
        self.write(&row);
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> Bytes {
        let written = std::mem::replace(&mut self.writer, writer());
        Bytes::from(written.into_inner().expect("memory takes every row"))
    }

    fn write(&mut self, row: &[String]) {
        self.writer
            .write_record(row)
            .expect("memory takes every row, and every row has as many cells");
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => neutral(text).into_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => format_millis(*time),
    }
}

fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 2] = [
        Kind {
            name: "fruit",
            sheet: "Fruit",
            columns: &["name", "count"],
        },
        Kind {
            name: "end",
            sheet: "End",
            columns: &["name", "note"],
        },
    ];

    #[test]
    fn kinds_share_columns_and_tell_themselves_apart() {
        static KINDS_OF_TEST: [Kind; 2] = KINDS;
        let mut table = CsvTable::new(&KINDS_OF_TEST);
        table.row(0, &[Cell::Text("=apple".to_owned()), Cell::Number(-2)]);
        table.row(1, &[Cell::Empty, Cell::Text("a, b".to_owned())]);
        let written = String::from_utf8(table.take().to_vec()).unwrap();
        assert_eq!(
            written,
            "record_type,name,count,note\r\nfruit,'=apple,-2,\r\nend,,,\"a, b\"\r\n"
        );
        assert!(table.take().is_empty());
    }
}
