//! What stands in the spool after a crash or on a bad disk.

use agent::spool::{Kind, Next, Record, encode, read_record, read_records};

/// The longest record that is written here.
const MAX_RECORD: usize = 40;

/// Whatever a crash or the disk did to a segment, what is read of it was written so, and nothing is missing but what is damaged.
pub(crate) fn spool_records(input: &[u8]) {
    let (records, length) = read_records(input);
    assert!(length <= input.len() as u64);
    assert!(records.is_sorted_by_key(|record| record.index));

    let Some((damage, rest)) = input.split_at_checked(4) else {
        return;
    };
    let written: Vec<Record> = rest.chunks(MAX_RECORD).zip(1..).map(record).collect();
    let mut segment = Vec::new();
    let mut ends = Vec::new();
    for record in &written {
        encode(&mut segment, record.index, record.kind, &record.payload);
        ends.push(segment.len());
    }
    assert_eq!(read_records(&segment), (written.clone(), segment.len() as u64));
    if segment.is_empty() {
        return;
    }
    let at = usize::from(u16::from_le_bytes([damage[0], damage[1]])) % segment.len();
    let whole = ends.iter().filter(|end| **end <= at).count();
    let mut expected = written[..whole].to_vec();
    match damage[2] % 3 {
        0 => segment.truncate(at),
        1 => {
            segment[at] ^= 1 << (damage[3] % 8);
            expected.extend_from_slice(&written[whole + 1..]);
        }
        // A file that had been made longer before the power went.
        _ => segment[at..].fill(0),
    }
    assert_eq!(read_records(&segment).0, expected);
    assert_eq!(read_until_damage(&segment), written[..whole]);
}

/// Letters, as events are: they cannot hold another record.
fn record((payload, index): (&[u8], u64)) -> Record {
    let kind = match payload.first() {
        Some(first) if first % 2 == 1 => Kind::Droppable,
        _ => Kind::Essential,
    };
    Record {
        index,
        kind,
        payload: payload.iter().map(|byte| b'a' + byte % 16).collect(),
    }
}

/// As the sender reads.
fn read_until_damage(mut segment: &[u8]) -> Vec<Record> {
    let next = || match read_record(&mut segment).expect("memory can be read") {
        Next::Record(record) => Some(record),
        Next::End | Next::Damage => None,
    };
    std::iter::from_fn(next).collect()
}
