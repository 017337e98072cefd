//! Recorded conversations. A line is `epoch<TAB>direction<TAB>text`; `<` marks what the daemon said.

use time::{Duration, OffsetDateTime};

use super::{Line, Notice, Reader};
use crate::environment::unix_seconds;

/// A notice and when the management client read it.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedNotice {
    pub at: OffsetDateTime,
    pub notice: Notice,
}

/// Reads a whole transcript. Lines that make no sense are passed over.
pub fn parse_transcript(text: &str) -> Vec<TimedNotice> {
    let mut reader = Reader::default();
    let notice = |(at, line)| match reader.read(line) {
        Line::Notice(notice) => Some(TimedNotice { at, notice }),
        Line::Answer(_) | Line::Nothing => None,
    };
    text.lines().filter_map(said_by_daemon).filter_map(notice).collect()
}

fn said_by_daemon(line: &str) -> Option<(OffsetDateTime, &str)> {
    let mut parts = line.splitn(3, '\t');
    let (epoch, direction, text) = (parts.next()?, parts.next()?, parts.next()?);
    (direction == "<").then_some(())?;
    Some((epoch_milliseconds(epoch)?, text.trim_end_matches('\r')))
}

fn epoch_milliseconds(text: &str) -> Option<OffsetDateTime> {
    let (seconds, milliseconds) = text.split_once('.')?;
    unix_seconds(seconds.parse().ok()?)?.checked_add(Duration::milliseconds(milliseconds.parse::<u16>().ok()?.into()))
}
