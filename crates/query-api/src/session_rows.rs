//! The rows of an export of sessions.

use db::servers::GapRow;
use db::sessions::{ClientView, ExportItem, SessionRow};
use domain::time_format::format_millis;
use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;

use crate::table::{Cell, Kind, Table, TableError};

pub(crate) static KINDS: [Kind; 3] = [
    Kind {
        name: "session",
        sheet: "Sessions",
        columns: &[
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
        ],
    },
    Kind {
        name: "gap",
        sheet: "Gaps",
        columns: &[
            "server_instance",
            "gap_boot_id",
            "gap_from_seq",
            "gap_to_seq",
            "gap_missing_events",
            "gap_after_utc",
            "gap_before_utc",
            "note",
        ],
    },
    Kind {
        name: "end",
        sheet: "Coverage",
        columns: &["note"],
    },
];
const SESSION: usize = 0;
const GAP: usize = 1;
const END: usize = 2;

/// An export of sessions in the making.
pub(crate) struct SessionExport {
    pub(crate) pieces: Receiver<Result<ExportItem, db::Error>>,
    /// What it covers, for people.
    pub(crate) covers: String,
    pub(crate) exported_at: OffsetDateTime,
    pub(crate) sessions: u64,
}

impl SessionExport {
    /// Writes the next piece; false when it was the last. Waits for the database.
    pub(crate) fn step(&mut self, table: &mut Table) -> Result<bool, TableError> {
        match self.pieces.blocking_recv() {
            Some(Ok(ExportItem::Sessions(sessions))) => {
                for session in sessions {
                    self.sessions += 1;
                    table.row(SESSION, &cells(session, self.exported_at))?;
                }
                Ok(true)
            }
            Some(Ok(ExportItem::Gaps(gaps))) => {
                let note = self.note(gaps.len());
                for gap in gaps {
                    table.row(GAP, &gap_cells(gap))?;
                }
                table.row(END, &[Cell::Text(note)])?;
                Ok(false)
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(TableError::Stopped),
        }
    }

    fn note(&self, gaps: usize) -> String {
        let Self { covers, sessions, .. } = self;
        let exported_at = format_millis(self.exported_at);
        format!("Complete: {covers}, as of {exported_at}; {sessions} sessions, {gaps} gaps; times are UTC.")
    }
}

fn cells(session: SessionRow, exported_at: OffsetDateTime) -> [Cell; 25] {
    let view = session.view(exported_at);
    let client = |part: fn(ClientView) -> Option<String>| Cell::text(view.client.clone().and_then(part));
    [
        Cell::Text(view.id.to_string()),
        Cell::text(Some(&view.common_name)),
        Cell::name(&view.user_type),
        Cell::text(Some(&view.server_instance)),
        Cell::name(&view.session_status),
        Cell::Time(view.connected_at),
        Cell::Time(view.last_seen_at),
        Cell::time(view.disconnected_at),
        Cell::time(view.end_not_after),
        Cell::name(&view.ended_by),
        Cell::text(view.disconnect_reason.as_deref()),
        Cell::Number(view.duration_seconds),
        Cell::number(view.bytes_in),
        Cell::number(view.bytes_out),
        Cell::name(&view.bytes_source),
        Cell::shown(view.real_ip),
        Cell::number(view.real_port),
        Cell::shown(view.virtual_ip),
        Cell::shown(view.virtual_ip6),
        Cell::text(view.username.as_deref()),
        Cell::number(view.cid),
        client(|client| client.platform),
        client(|client| client.version),
        client(|client| client.gui),
        Cell::text(view.cipher.as_deref()),
    ]
}

fn gap_cells(gap: GapRow) -> [Cell; 8] {
    let note = "Events of this VPN server are missing: sessions may be missing or end elsewhere.";
    [
        Cell::Text(gap.server_instance),
        Cell::shown(Some(gap.boot_id).filter(|boot_id| !boot_id.is_nil())),
        Cell::Number(gap.from_seq),
        Cell::Number(gap.to_seq),
        Cell::Number(gap.to_seq - gap.from_seq + 1),
        Cell::time(gap.after_time),
        Cell::Time(gap.before_time),
        Cell::Text(note.to_owned()),
    ]
}
