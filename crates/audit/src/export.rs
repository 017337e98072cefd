//! Reads an export of the audit log, entry by entry.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use domain::audit_chain::{COLUMNS, ChainedEntry, Head, Record, record_from_cells};

use crate::json_export;

/// Gives every entry to `take`, and at last the export's end; none when it is cut off.
pub(crate) fn read(path: &Path, take: impl FnMut(ChainedEntry)) -> Result<Option<Head>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let is_json = reader.fill_buf()?.first() == Some(&b'{');
    let read = if is_json {
        json_export::read(reader, take)
    } else {
        read_csv(reader, take)
    };
    read.with_context(|| format!("{} is not an export of the audit log", path.display()))
}

fn read_csv(reader: impl Read, mut take: impl FnMut(ChainedEntry)) -> Result<Option<Head>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    if reader.headers()?.iter().ne(COLUMNS) {
        bail!("its first row must name the columns {}", COLUMNS.join(","));
    }
    let mut end = None;
    for (row, record) in (2_u64..).zip(reader.into_records()) {
        let record = record.with_context(|| format!("row {row}"))?;
        match record_from_cells(&record).with_context(|| format!("row {row}"))? {
            _ if end.is_some() => bail!("row {row} stands behind the end"),
            Record::Entry(entry) => take(*entry),
            Record::End(head) => end = Some(head),
        }
    }
    Ok(end)
}
