//! The rows of an export.

use actix_web::web::Bytes;
use csv::{Terminator, Writer, WriterBuilder};
use db::servers::GapRow;
use db::sessions::SessionRow;
use domain::time_format::format_millis;
use serde::Serialize;
use time::OffsetDateTime;

use crate::csv_cells::neutral;

const COLUMNS: [&str; 33] = [
    "record_type",
    "session_id",
    "common_name",
    "user_type",
    "server_instance",
    "session_status",
    "connected_at_utc",
    "last_seen_at_utc",
    "disconnected_at_utc",
    "end_not_after_utc",
    "ended_by",
    "disconnect_reason",
    "duration_seconds",
    "bytes_in",
    "bytes_out",
    "bytes_source",
    "real_ip",
    "real_port",
    "virtual_ip",
    "virtual_ip6",
    "username",
    "cid",
    "client_platform",
    "client_version",
    "client_gui",
    "cipher",
    "gap_boot_id",
    "gap_from_seq",
    "gap_to_seq",
    "gap_missing_events",
    "gap_after_utc",
    "gap_before_utc",
    "note",
];
/// Columns before and of the gap.
const SERVER: usize = 4;
const GAP: usize = 26;
const NOTE: usize = 32;

/// Writes rows into memory, from where they are taken piece by piece.
pub(crate) struct Rows {
    writer: Writer<Vec<u8>>,
    covers: String,
    exported_at: OffsetDateTime,
    sessions: u64,
    gaps: u64,
}

impl Rows {
    pub(crate) fn new(covers: String, exported_at: OffsetDateTime) -> Self {
        Self {
            writer: writer(),
            covers,
            exported_at,
            sessions: 0,
            gaps: 0,
        }
    }

    pub(crate) fn write_header(&mut self) {
        self.write(&COLUMNS.map(str::to_owned));
    }

    pub(crate) fn write_session(&mut self, session: SessionRow) {
        let view = session.view(self.exported_at);
        let client = view.client;
        let client = |part: fn(db::sessions::ClientView) -> Option<String>| client.clone().and_then(part);
        self.sessions += 1;
        let cells: [String; COLUMNS.len() - 7] = [
            "session".to_owned(),
            view.id.to_string(),
            text(Some(view.common_name)),
            name(&view.user_type),
            text(Some(view.server_instance)),
            name(&view.session_status),
            format_millis(view.connected_at),
            format_millis(view.last_seen_at),
            view.disconnected_at.map(format_millis).unwrap_or_default(),
            view.end_not_after.map(format_millis).unwrap_or_default(),
            name(&view.ended_by),
            text(view.disconnect_reason),
            view.duration_seconds.to_string(),
            known(view.bytes_in),
            known(view.bytes_out),
            name(&view.bytes_source),
            known(view.real_ip),
            known(view.real_port),
            known(view.virtual_ip),
            known(view.virtual_ip6),
            text(view.username),
            known(view.cid),
            text(client(|client| client.platform)),
            text(client(|client| client.version)),
            text(client(|client| client.gui)),
            text(view.cipher),
        ];
        let mut row = empty();
        for (cell, value) in row.iter_mut().zip(cells) {
            *cell = value;
        }
        self.write(&row);
    }

    pub(crate) fn write_gap(&mut self, gap: GapRow) {
        self.gaps += 1;
        let mut row = empty();
        row[0] = "gap".to_owned();
        row[SERVER] = text(Some(gap.server_instance));
        row[GAP] = if gap.boot_id.is_nil() {
            String::new()
        } else {
            gap.boot_id.to_string()
        };
        row[GAP + 1] = gap.from_seq.to_string();
        row[GAP + 2] = gap.to_seq.to_string();
        row[GAP + 3] = (gap.to_seq - gap.from_seq + 1).to_string();
        row[GAP + 4] = gap.after_time.map(format_millis).unwrap_or_default();
        row[GAP + 5] = format_millis(gap.before_time);
        row[NOTE] = "Events of this VPN server are missing: sessions may be missing or end elsewhere.".to_owned();
        self.write(&row);
    }

    pub(crate) fn write_end(&mut self) {
        let Self {
            covers, sessions, gaps, ..
        } = self;
        let exported_at = format_millis(self.exported_at);
        let note = format!("Complete: {covers}, as of {exported_at}; {sessions} sessions, {gaps} gaps; times are UTC.");
        let mut row = empty();
        row[0] = "end".to_owned();
        row[NOTE] = note;
        self.write(&row);
    }

    /// What was written since the last time.
    pub(crate) fn take(&mut self) -> Bytes {
        let written = std::mem::replace(&mut self.writer, writer());
        Bytes::from(written.into_inner().expect("memory takes every row"))
    }

    fn write(&mut self, row: &[String; COLUMNS.len()]) {
        self.writer
            .write_record(row)
            .expect("memory takes every row, and every row has as many cells");
    }
}

fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new())
}

fn empty() -> [String; COLUMNS.len()] {
    std::array::from_fn(|_| String::new())
}

fn text(text: Option<String>) -> String {
    text.map(|text| neutral(&text).into_owned()).unwrap_or_default()
}

fn known(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The API's name of an enumeration's value; empty when there is none.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_columns_of_gaps_stand_where_they_are_named() {
        assert_eq!(
            (COLUMNS[SERVER], COLUMNS[GAP], COLUMNS[NOTE]),
            ("server_instance", "gap_boot_id", "note")
        );
        assert_eq!(COLUMNS[GAP + 5], "gap_before_utc");
    }

    #[test]
    fn the_last_row_says_what_is_covered() {
        let mut rows = Rows::new("all sessions".to_owned(), datetime!(2026-02-13 12:00 UTC));
        rows.write_end();
        let written = String::from_utf8(rows.take().to_vec()).unwrap();
        assert!(written.starts_with("end,"));
        let note = "\"Complete: all sessions, as of 2026-02-13T12:00:00.000Z; 0 sessions, 0 gaps; times are UTC.\"\r\n";
        assert!(written.ends_with(note), "{written}");
    }
}
