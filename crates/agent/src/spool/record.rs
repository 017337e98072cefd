//! One record of a segment: `length | CRC-32 | index | kind | payload`, all numbers little-endian. A record that a crash has torn
//! fails its check; what comes after damage is found again by its own.

use std::io::{self, BufRead, Read};

/// What may be given up when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Connects, disconnects, starts and stops: never.
    Essential,
    /// Updates and snapshots: later ones say more.
    Droppable,
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Counts up by one over all segments.
    pub index: u64,
    pub kind: Kind,
    pub payload: Vec<u8>,
}

/// Bytes before the payload.
const HEADER: usize = 4 + 4 + 8 + 1;
/// No event is longer; a larger length is damage.
const MAX_PAYLOAD: usize = 64 << 20;

/// Appends the record's bytes to `buffer`.
pub fn encode(buffer: &mut Vec<u8>, index: u64, kind: Kind, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("an event is shorter than 4 GiB");
    let kind = match kind {
        Kind::Essential => 0,
        Kind::Droppable => 1,
    };
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&checksum(index, kind, payload).to_le_bytes());
    buffer.extend_from_slice(&index.to_le_bytes());
    buffer.push(kind);
    buffer.extend_from_slice(payload);
}

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Record(Record),
    End,
    /// A write was torn, or bytes have changed.
    Damage,
}

/// # Errors
/// When the file cannot be read.
pub fn read_record(file: &mut impl BufRead) -> io::Result<Next> {
    let mut bytes = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Ok(Next::End);
    }
    let length = bytes
        .first_chunk()
        .map_or(u32::MAX, |length| u32::from_le_bytes(*length));
    if bytes.len() == HEADER && length as usize <= MAX_PAYLOAD {
        file.take(length.into()).read_to_end(&mut bytes)?;
    }
    Ok(decode(&bytes).map_or(Next::Damage, |(record, _)| Next::Record(record)))
}

/// The record at the beginning of `bytes` and its length; `None` at the end or where a write was torn.
pub(super) fn decode(bytes: &[u8]) -> Option<(Record, usize)> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let length = u32::from_le_bytes(header[0..4].try_into().ok()?) as usize;
    let crc = u32::from_le_bytes(header[4..8].try_into().ok()?);
    let index = u64::from_le_bytes(header[8..16].try_into().ok()?);
    if length > MAX_PAYLOAD {
        return None;
    }
    let payload = rest.get(..length)?;
    if crc != checksum(index, header[16], payload) {
        return None;
    }
    let kind = match header[16] {
        0 => Kind::Essential,
        _ => Kind::Droppable,
    };
    let record = Record {
        index,
        kind,
        payload: payload.to_vec(),
    };
    Some((record, HEADER + length))
}

fn checksum(index: u64, kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&index.to_le_bytes());
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_comes_back_and_a_torn_or_changed_one_does_not(
            index in any::<u64>(), payload in proptest::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>(), bit in 0..8_u8,
        ) {
            let mut bytes = Vec::new();
            encode(&mut bytes, index, Kind::Droppable, &payload);
            let (record, length) = decode(&bytes).unwrap();
            prop_assert_eq!((record.index, record.kind, &record.payload, length), (index, Kind::Droppable, &payload, bytes.len()));
            let at = cut.index(bytes.len());
            prop_assert_eq!(decode(&bytes[..at]), None);
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes).is_none_or(|(changed, _)| changed != record || at >= 4 && changed == record));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
        }
    }
}
