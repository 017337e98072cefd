//! The reading end: whoever reads needs no lock, and finds again what stands beyond damage.

use std::fs::{self, File};
use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::Path;

use super::record::{Next, Record, decode, read_record};
use super::{path, segments};

/// Reads on from `index`: at most about `max_bytes` of payload, at least one record if there is one. Segments that are
/// missing were sent.
///
/// # Errors
/// When a segment cannot be read.
pub fn read_from(folder: &Path, index: u64, max_records: usize, max_bytes: usize) -> io::Result<Vec<Record>> {
    let mut found = Vec::new();
    let (mut bytes, mut next) = (0, 0);
    let segments = segments(folder)?;
    let begin = segments.range(..=index).next_back().map_or(index, |(first, _)| *first);
    for first in segments.range(begin..).map(|(first, _)| *first) {
        let mut file = match File::open(path(folder, first)) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let mut beyond_damage = Vec::new().into_iter();
        // One by one: a segment is larger than what is wanted of it.
        loop {
            let record = match beyond_damage.next() {
                Some(record) => record,
                None => match read_record(&mut file)? {
                    Next::Record(record) => record,
                    Next::End => break,
                    Next::Damage => {
                        beyond_damage = records_beyond(&path(folder, first), next)?.into_iter();
                        file.seek(SeekFrom::End(0))?;
                        continue;
                    }
                },
            };
            next = record.index.saturating_add(1);
            if record.index < index {
                continue;
            }
            if found.len() >= max_records || (!found.is_empty() && bytes + record.payload.len() > max_bytes) {
                return Ok(found);
            }
            bytes += record.payload.len();
            found.push(record);
        }
    }
    Ok(found)
}

/// What can still be read of a segment that is damaged after the record before `next`. None is what a write leaves that goes on.
fn records_beyond(path: &Path, next: u64) -> io::Result<Vec<Record>> {
    let (mut records, _) = read_records(&fs::read(path)?);
    records.retain(|record| record.index >= next);
    if let Some(first) = records.first() {
        let lost = first.index - next;
        tracing::error!(path = %path.display(), lost, "A segment of the spool is damaged: events are lost, and show as a gap.");
    }
    Ok(records)
}

/// The sound records of a segment, and where the last of them ends.
pub fn read_records(bytes: &[u8]) -> (Vec<Record>, u64) {
    let mut records: Vec<Record> = Vec::new();
    let (mut at, mut end) = (0, 0);
    while at < bytes.len() {
        let next = records.last().map_or(0, |last| last.index.saturating_add(1));
        match decode(&bytes[at..]).filter(|(record, _)| record.index >= next) {
            Some((record, length)) => {
                records.push(record);
                at += length;
                end = at;
            }
            None => at += 1,
        }
    }
    (records, end as u64)
}
