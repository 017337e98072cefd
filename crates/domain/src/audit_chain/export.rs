//! The rows of an exported audit log.
//!
//! A spreadsheet runs cells that begin like a formula, so those get an apostrophe before them. The verifier takes it away
//! again: a cell that begins with an apostrophe of its own gets a second one, and a text that is empty is a lone apostrophe,
//! so that an empty cell is always a value that is not there.

use super::entry::{ChainedEntry, from_hex, hex};
use super::verifier::Head;

/// The header row.
pub const COLUMNS: [&str; 14] = [
    "record_type",
    "id",
    "created_at_utc",
    "actor_portal_user_id",
    "actor_name",
    "action",
    "object_type",
    "object_id",
    "details",
    "ip_address",
    "user_agent",
    "request_id",
    "previous_hash",
    "entry_hash",
];

const ENTRY: &str = "entry";
const END: &str = "end";

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Entry(Box<ChainedEntry>),
    /// The last row of an export that is complete.
    End(Head),
}

/// A row that no export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the row has no readable {0}")]
pub struct UnreadableRecord(pub &'static str);

/// The cells of an entry.
pub fn entry_cells(entry: &ChainedEntry) -> [String; COLUMNS.len()] {
    [
        ENTRY.to_owned(),
        entry.id.to_string(),
        guarded(&entry.created_at),
        entry.actor_portal_user_id.map(|id| id.to_string()).unwrap_or_default(),
        guarded(&entry.actor_name),
        guarded(&entry.action),
        guarded(&entry.object_type),
        optional(entry.object_id.as_deref()),
        guarded(&entry.details),
        optional(entry.ip_address.as_deref()),
        optional(entry.user_agent.as_deref()),
        optional(entry.request_id.as_deref()),
        hex(&entry.previous_hash),
        hex(&entry.entry_hash),
    ]
}

/// The cells of the row behind the last entry: where the export ends, when it was made, and what it covers.
pub fn end_cells(end: Head, exported_at: &str, note: &str) -> [String; COLUMNS.len()] {
    let mut cells = std::array::from_fn(|_| String::new());
    cells[0] = END.to_owned();
    cells[1] = end.last_id.to_string();
    cells[2] = guarded(exported_at);
    cells[8] = guarded(note);
    cells[13] = hex(&end.entry_hash);
    cells
}

/// Reads a row back, exactly as it was.
///
/// # Errors
/// [`UnreadableRecord`] with the column that cannot be read.
pub fn record_from_cells<'c>(cells: impl IntoIterator<Item = &'c str>) -> Result<Record, UnreadableRecord> {
    let mut cells = COLUMNS.into_iter().zip(cells);
    let mut cell = |name| match cells.next() {
        Some((column, cell)) if column == name => Ok(cell),
        _ => Err(UnreadableRecord(name)),
    };
    let record_type = cell("record_type")?;
    let id = number(cell("id")?, "id")?;
    let mut entry = ChainedEntry {
        id,
        created_at: plain(cell("created_at_utc")?),
        ..ChainedEntry::default()
    };
    entry.actor_portal_user_id = match cell("actor_portal_user_id")? {
        "" => None,
        text => Some(number(text, "actor_portal_user_id")?),
    };
    entry.actor_name = plain(cell("actor_name")?);
    entry.action = plain(cell("action")?);
    entry.object_type = plain(cell("object_type")?);
    entry.object_id = present(cell("object_id")?);
    entry.details = plain(cell("details")?);
    entry.ip_address = present(cell("ip_address")?);
    entry.user_agent = present(cell("user_agent")?);
    entry.request_id = present(cell("request_id")?);
    let previous_hash = cell("previous_hash")?;
    entry.entry_hash = from_hex(cell("entry_hash")?).ok_or(UnreadableRecord("entry_hash"))?;
    match record_type {
        ENTRY => {
            entry.previous_hash = from_hex(previous_hash).ok_or(UnreadableRecord("previous_hash"))?;
            Ok(Record::Entry(Box::new(entry)))
        }
        END => Ok(Record::End(Head {
            last_id: id,
            entry_hash: entry.entry_hash,
        })),
        _ => Err(UnreadableRecord("record_type")),
    }
}

/// What a spreadsheet takes for a formula begins so; full-width signs are formulas too in some locales.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn guarded(text: &str) -> String {
    if text.is_empty() || text.starts_with('\'') || text.starts_with(FORMULA) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn optional(text: Option<&str>) -> String {
    text.map(guarded).unwrap_or_default()
}

fn plain(cell: &str) -> String {
    cell.strip_prefix('\'').unwrap_or(cell).to_owned()
}

fn present(cell: &str) -> Option<String> {
    (!cell.is_empty()).then(|| plain(cell))
}

fn number(cell: &str, column: &'static str) -> Result<i64, UnreadableRecord> {
    cell.parse().map_err(|_| UnreadableRecord(column))
}
