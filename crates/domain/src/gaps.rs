//! Sequence gaps: which numbers of a boot have not arrived.

use time::OffsetDateTime;

/// A range of missing numbers, with the event times of the neighbours that did arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub from_seq: u64,
    pub to_seq: u64,
    /// Time of the event before the gap; `None` when the boot's first numbers are missing.
    pub after_time: Option<OffsetDateTime>,
    /// Time of the event behind the gap.
    pub before_time: OffsetDateTime,
}

/// The numbering of one boot as far as it has come. The same set of numbers gives the same ledger in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The lowest and the highest number that arrived, each with its event time.
    pub lowest: Option<(u64, OffsetDateTime)>,
    pub highest: Option<(u64, OffsetDateTime)>,
    /// In ascending order.
    pub gaps: Vec<Gap>,
}

impl Ledger {
    /// Takes the numbers that have arrived, with their event times. Numbers begin at 1 where `starts_at_one` (a boot that has
    /// an id); without, nothing is known of what came before the lowest.
    pub fn arrive(&mut self, numbers: &mut [(u64, OffsetDateTime)], starts_at_one: bool) {
        numbers.sort_unstable();
        for &(seq, at) in numbers.iter() {
            match (self.lowest, self.highest) {
                (Some(lowest), _) if seq < lowest.0 => self.extend_down((seq, at), lowest, starts_at_one),
                (_, Some(highest)) if seq > highest.0 => self.extend_up((seq, at), highest),
                (Some(_), Some(_)) => self.fill(seq, at),
                _ => self.begin(seq, at, starts_at_one),
            }
        }
    }

    fn begin(&mut self, seq: u64, at: OffsetDateTime, starts_at_one: bool) {
        self.lowest = Some((seq, at));
        self.highest = Some((seq, at));
        if starts_at_one && seq > 1 {
            self.gaps.push(Gap {
                from_seq: 1,
                to_seq: seq - 1,
                after_time: None,
                before_time: at,
            });
        }
    }

    fn extend_up(&mut self, (seq, at): (u64, OffsetDateTime), highest: (u64, OffsetDateTime)) {
        self.highest = Some((seq, at));
        if seq > highest.0 + 1 {
            let after_time = Some(highest.1);
            self.gaps.push(Gap {
                from_seq: highest.0 + 1,
                to_seq: seq - 1,
                after_time,
                before_time: at,
            });
        }
    }

    fn extend_down(&mut self, number: (u64, OffsetDateTime), lowest: (u64, OffsetDateTime), starts_at_one: bool) {
        self.lowest = Some(number);
        let (seq, at) = number;
        if starts_at_one && seq >= 1 {
            // The numbers below the lowest were a gap already.
            self.fill(seq, at);
        } else if seq + 1 < lowest.0 {
            let gap = Gap {
                from_seq: seq + 1,
                to_seq: lowest.0 - 1,
                after_time: Some(at),
                before_time: lowest.1,
            };
            self.gaps.insert(0, gap);
        }
    }

    /// A late number closes or splits the gap that it falls into.
    fn fill(&mut self, seq: u64, at: OffsetDateTime) {
        let Some(index) = self
            .gaps
            .iter()
            .position(|gap| (gap.from_seq..=gap.to_seq).contains(&seq))
        else {
            return;
        };
        let gap = self.gaps[index];
        let before = (gap.from_seq < seq).then(|| Gap {
            to_seq: seq - 1,
            before_time: at,
            ..gap
        });
        let after = (seq < gap.to_seq).then(|| Gap {
            from_seq: seq + 1,
            after_time: Some(at),
            ..gap
        });
        self.gaps.splice(index..=index, before.into_iter().chain(after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_790_000_000 + i64::try_from(second).unwrap()).unwrap()
    }

    fn ledger(batches: &[&[u64]], starts_at_one: bool) -> Ledger {
        let mut ledger = Ledger::default();
        for batch in batches {
            let mut numbers: Vec<_> = batch.iter().map(|seq| (*seq, at(*seq))).collect();
            ledger.arrive(&mut numbers, starts_at_one);
        }
        ledger
    }

    #[test]
    fn a_missing_number_is_a_gap_until_it_arrives() {
        let open = ledger(&[&[1, 2, 5]], true);
        assert_eq!(
            open.gaps,
            [Gap {
                from_seq: 3,
                to_seq: 4,
                after_time: Some(at(2)),
                before_time: at(5)
            }]
        );
        assert_eq!(ledger(&[&[1, 2, 5], &[4], &[3]], true).gaps, []);
    }

    #[test]
    fn a_boot_that_begins_above_one_has_lost_its_first_numbers() {
        let gap = Gap {
            from_seq: 1,
            to_seq: 2,
            after_time: None,
            before_time: at(3),
        };
        assert_eq!(ledger(&[&[3]], true).gaps, [gap]);
        assert_eq!(ledger(&[&[3]], false).gaps, []);
    }

    #[test]
    fn the_same_numbers_give_the_same_gaps_in_any_order() {
        let numbers = [2, 3, 7, 8, 12, 20];
        for starts_at_one in [true, false] {
            let whole = ledger(&[&numbers], starts_at_one);
            for rotation in 0..numbers.len() {
                let mut rotated = numbers;
                rotated.rotate_left(rotation);
                let singles: Vec<&[u64]> = rotated.chunks(1).collect();
                assert_eq!(ledger(&singles, starts_at_one), whole);
            }
        }
    }
}
