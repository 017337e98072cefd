//! What to make of the first entry that does not fit: what stands behind it tells.

use super::entry::{ChainedEntry, Hash};
use super::fault::{Fault, FirstBad};
use super::verifier::Link;

/// How far an entry is looked for around the place where it stands, in numbers.
const NEIGHBOURHOOD: i64 = 4_096;

/// The first entry that does not fit, and what it looks like so far.
#[derive(Debug)]
pub(super) struct Suspicion {
    /// The entry that is expected, and the hash that it must follow.
    expected: i64,
    previous: Hash,
    found: Found,
}

#[derive(Debug)]
enum Found {
    /// A later entry: the expected one is gone, or comes later.
    Later { id: i64 },
    /// Something that was never written so.
    Unknown,
    /// An entry with this hash that is sound in itself, but follows another one than the one before.
    Unlinked { entry_hash: Hash },
}

/// What an entry that does not fit gives.
pub(super) enum Verdict {
    Final(FirstBad),
    /// To be told by the entries behind it.
    Open(Suspicion),
}

/// Judges the first entry that does not fit behind `last`.
pub(super) fn judge(entry: &ChainedEntry, last: Link) -> Verdict {
    let expected = last.id + 1;
    let open = |found| {
        Verdict::Open(Suspicion {
            expected,
            previous: last.hash,
            found,
        })
    };
    match true_id(entry, expected) {
        Some(id) if id > expected => open(Found::Later { id }),
        Some(id) if id < expected => Verdict::Final(inserted(id)),
        Some(_) if entry.previous_hash == last.hash => Verdict::Final(FirstBad::new(
            expected,
            Fault::Reordered,
            format!(
                "Entry {expected} was renumbered: it stands under the number {}.",
                entry.id
            ),
        )),
        Some(_) => open(Found::Unlinked {
            entry_hash: entry.entry_hash,
        }),
        None if entry.id > expected => open(Found::Later { id: entry.id }),
        None => open(Found::Unknown),
    }
}

impl Suspicion {
    /// What the next entry tells; none when nothing more than was known.
    pub(super) fn reconsider(&self, entry: &ChainedEntry) -> Option<FirstBad> {
        let expected = self.expected;
        if entry.previous_hash == self.previous && entry.is_authentic_as(expected) {
            return Some(match self.found {
                Found::Later { id } => FirstBad::new(
                    expected,
                    Fault::Reordered,
                    format!("Entry {expected} was moved: entry {id} stands in its place and it comes later."),
                ),
                Found::Unknown | Found::Unlinked { .. } => inserted(expected),
            });
        }
        match self.found {
            Found::Unlinked { entry_hash } => Some(self.unlinked(entry.previous_hash == entry_hash)),
            Found::Later { .. } | Found::Unknown => None,
        }
    }

    /// What it is when nothing comes behind it. `head` is the hash of the chain's end, where it is known.
    pub(super) fn conclude(&self, head: Option<Hash>) -> FirstBad {
        let expected = self.expected;
        match self.found {
            Found::Later { id } => FirstBad::new(
                expected,
                Fault::Deleted,
                match id - 1 {
                    last if last == expected => {
                        format!("Entry {expected} was deleted: entry {id} stands in its place.")
                    }
                    last => format!("Entries {expected} to {last} were deleted: entry {id} stands in their place."),
                },
            ),
            Found::Unknown => edited(expected),
            Found::Unlinked { entry_hash } => self.unlinked(head == Some(entry_hash)),
        }
    }

    /// Whether an entry that others follow is right, and so the one before it wrong.
    fn unlinked(&self, is_followed: bool) -> FirstBad {
        match self.expected - 1 {
            before @ 1.. if is_followed => FirstBad::new(
                before,
                Fault::Edited,
                format!(
                    "Entry {before} was edited and its hash computed anew: entry {} follows another hash.",
                    self.expected
                ),
            ),
            _ => edited(self.expected),
        }
    }
}

pub(super) fn edited(id: i64) -> FirstBad {
    let detail = format!("Entry {id} was edited: its content does not have its hash.");
    FirstBad::new(id, Fault::Edited, detail)
}

fn inserted(id: i64) -> FirstBad {
    let detail = format!("Entry {id} was inserted: the entry that was written under that number follows it.");
    FirstBad::new(id, Fault::Inserted, detail)
}

/// The number under which the entry was written, whatever number it has now.
fn true_id(entry: &ChainedEntry, expected: i64) -> Option<i64> {
    let around = (expected - NEIGHBOURHOOD).max(1)..=expected + NEIGHBOURHOOD;
    [entry.id, expected]
        .into_iter()
        .chain(around)
        .find(|id| entry.is_authentic_as(*id))
}
