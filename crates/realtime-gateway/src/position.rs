//! Where in the history of changes a client stands.

use std::fmt;
use std::str::FromStr;

/// A place in the stream of session changes, the same on every gateway. On the wire an opaque string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The life of the stream; see `bus::RealtimeState`.
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    /// How many changes of the message at `sequence` are included.
    pub(crate) part: u32,
}

/// A string that is no position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidPosition;

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x}-{}-{}", self.epoch, self.sequence, self.part)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let mut pieces = text.split('-');
        let mut piece = || pieces.next().ok_or(InvalidPosition);
        let (epoch, sequence, part) = (piece()?, piece()?, piece()?);
        let position = Self {
            epoch: u64::from_str_radix(epoch, 16).map_err(|_| InvalidPosition)?,
            sequence: sequence.parse().map_err(|_| InvalidPosition)?,
            part: part.parse().map_err(|_| InvalidPosition)?,
        };
        pieces.next().is_none().then_some(position).ok_or(InvalidPosition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_the_wire() {
        let position = Position {
            epoch: 0x0006_4a3f,
            sequence: 12,
            part: 3,
        };
        assert_eq!(position.to_string(), "64a3f-12-3");
        assert_eq!(position.to_string().parse(), Ok(position));
    }

    #[test]
    fn anything_else_is_no_position() {
        for text in ["", "1", "1-2", "1-2-3-4", "1-2-3~", "x-y-z", "-1-2-3", "1-2-3 "] {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text:?}");
        }
    }

    #[test]
    fn positions_of_one_epoch_are_ordered() {
        let at = |sequence, part| Position {
            epoch: 1,
            sequence,
            part,
        };
        assert!(at(1, 2) < at(2, 0) && at(2, 0) < at(2, 1));
    }
}
