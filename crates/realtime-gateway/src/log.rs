//! The latest frames in order: what sockets read from, each at its own place, and what a client that comes back is told.

use std::collections::VecDeque;
use std::sync::Arc;

use bytestring::ByteString;
use time::OffsetDateTime;

use crate::position::Position;

/// A frame, made once for all sockets.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) position: Position,
    /// Whose sessions it is about; `None` for everybody.
    pub(crate) server: Option<Arc<str>>,
    /// Only for clients that came back with a position: every snapshot has it already.
    pub(crate) only_for_replay: bool,
    pub(crate) text: ByteString,
    /// When JetStream took the change.
    pub(crate) stored_at: Option<OffsetDateTime>,
}

/// Frames are found by their number; numbers never come again while the log lives.
#[derive(Debug)]
pub(crate) struct Log {
    frames: VecDeque<Arc<Frame>>,
    /// The number of the oldest frame.
    first: u64,
    bytes: usize,
    max_bytes: usize,
    /// Everything after this position is here.
    floor: Position,
}

impl Log {
    pub(crate) fn new(floor: Position, max_bytes: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            first: 0,
            bytes: 0,
            max_bytes,
            floor,
        }
    }

    /// Nothing before this position was ever here.
    pub(crate) fn raise_floor(&mut self, floor: Position) {
        self.floor = floor;
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        self.bytes += frame.text.len();
        self.frames.push_back(Arc::new(frame));
        while self.bytes > self.max_bytes
            && let Some(oldest) = self.frames.pop_front()
        {
            self.bytes -= oldest.text.len();
            self.first += 1;
            self.floor = oldest.position;
        }
    }

    /// The number that the next frame will have.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    /// The frames from this number on, at most so many; `None` when some of them are gone.
    pub(crate) fn read(&self, from: u64, most: usize) -> Option<Vec<Arc<Frame>>> {
        let skip = usize::try_from(from.checked_sub(self.first)?).ok()?;
        Some(self.frames.iter().skip(skip).take(most).map(Arc::clone).collect())
    }

    /// The number of the first frame after a position; `None` when what follows it is not all here.
    pub(crate) fn after(&self, position: Position) -> Option<u64> {
        if position.epoch != self.floor.epoch || position < self.floor {
            return None;
        }
        let before = self.frames.partition_point(|frame| frame.position <= position);
        Some(self.first + before as u64)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64) -> Position {
        Position {
            epoch: 7,
            sequence,
            part: 1,
        }
    }

    fn log(frames: u64) -> Log {
        let mut log = Log::new(at(0), 30);
        for sequence in 1..=frames {
            log.push(Frame {
                position: at(sequence),
                server: None,
                only_for_replay: false,
                text: "0123456789".into(),
                stored_at: None,
            });
        }
        log
    }

    fn sequences(log: &Log, from: u64) -> Option<Vec<u64>> {
        let frames = log.read(from, 10)?;
        Some(frames.iter().map(|frame| frame.position.sequence).collect())
    }

    #[test]
    fn a_reader_goes_on_where_it_was() {
        let log = log(3);
        assert_eq!(sequences(&log, 1), Some(vec![2, 3]));
        assert_eq!(sequences(&log, log.end()), Some(vec![]));
    }

    #[test]
    fn who_has_missed_what_is_gone_learns_it() {
        let log = log(5);
        assert_eq!(sequences(&log, 1), None);
        assert_eq!(sequences(&log, 2), Some(vec![3, 4, 5]));
    }

    #[test]
    fn a_position_is_known_while_everything_after_it_is_there() {
        let log = log(5);
        assert_eq!(log.after(at(1)), None);
        assert_eq!(log.after(at(2)), Some(2));
        assert_eq!(log.after(at(4)), Some(4));
        assert_eq!(log.after(at(9)), Some(log.end()));
        assert_eq!(log.after(Position { epoch: 8, ..at(4) }), None);
    }
}
