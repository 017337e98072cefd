use std::collections::VecDeque;

use super::checkpoint::{Checkpoint, PublicKey};
use super::entry::{BEFORE_THE_FIRST, ChainedEntry, Hash, hex};
use super::fault::{Fault, FirstBad, Report};
use super::suspicion::{Suspicion, Verdict, edited, judge};

/// What the entries are that will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// All, from the first: none may be missing.
    Whole,
    /// Some, such as a filtered export: each is checked by itself, and against its neighbour where that is there too.
    Some,
}

/// Where the chain says that it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// 0 for an empty chain.
    pub last_id: i64,
    pub entry_hash: Hash,
}

/// An entry that fits, as the next one must follow it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) id: i64,
    pub(super) hash: Hash,
}

/// Checks entries in the order in which they stand. Keeps nothing but its place, so any number can be checked.
#[derive(Debug)]
pub struct Verifier {
    coverage: Coverage,
    /// Trusted ones that are still to come, by the number of the entry.
    checkpoints: VecDeque<Checkpoint>,
    compared: u64,
    signed_to: i64,
    last: Link,
    entries: u64,
    suspicion: Option<Suspicion>,
    first_bad: Option<FirstBad>,
    bad_checkpoint: Option<FirstBad>,
}

impl Verifier {
    /// Compares with those of the checkpoints that one of the keys signed; the others are reported.
    pub fn new(coverage: Coverage, checkpoints: Vec<Checkpoint>, keys: &[PublicKey]) -> Self {
        let (mut trusted, refused): (Vec<_>, Vec<_>) = checkpoints
            .into_iter()
            .partition(|checkpoint| checkpoint.is_signed_by(keys));
        trusted.sort_by_key(|checkpoint| checkpoint.id);
        Self {
            coverage,
            checkpoints: trusted.into(),
            compared: 0,
            signed_to: 0,
            last: Link {
                id: 0,
                hash: BEFORE_THE_FIRST,
            },
            entries: 0,
            suspicion: None,
            first_bad: None,
            bad_checkpoint: refused.iter().min_by_key(|checkpoint| checkpoint.id).map(refuse),
        }
    }

    /// A verifier that goes on behind an entry that is trusted already.
    pub fn behind(last: Head) -> Self {
        let mut verifier = Self::new(Coverage::Whole, Vec::new(), &[]);
        verifier.last = Link {
            id: last.last_id,
            hash: last.entry_hash,
        };
        verifier
    }

    /// Checks the next entry.
    pub fn push(&mut self, entry: &ChainedEntry) {
        self.entries += 1;
        if self.first_bad.is_some() {
            return;
        }
        if let Some(suspicion) = &self.suspicion {
            self.first_bad = suspicion.reconsider(entry);
            return;
        }
        match self.coverage {
            Coverage::Whole => self.push_next(entry),
            Coverage::Some => self.push_one_of_some(entry),
        }
    }

    /// Ends the check. `head` is where the chain, or what is read of it, says that it ends; without it only checkpoints tell whether its tail is gone.
    pub fn finish(mut self, head: Option<Head>) -> Report {
        if let Some(suspicion) = self.suspicion.take().filter(|_| self.first_bad.is_none()) {
            self.first_bad = Some(suspicion.conclude(head.map(|head| head.entry_hash)));
        }
        if self.first_bad.is_none() {
            self.first_bad = self.missing_tail(head);
        }
        let verified_to = match &self.first_bad {
            Some(bad) if bad.fault == Fault::Rewritten => self.signed_to,
            Some(bad) => self.last.id.min(bad.id - 1),
            None => self.last.id,
        };
        Report {
            entries: self.entries,
            verified_to,
            checkpoints: self.compared,
            signed_to: self.signed_to.min(verified_to),
            first_bad: self.first_bad.or(self.bad_checkpoint),
        }
    }

    fn push_next(&mut self, entry: &ChainedEntry) {
        let fits =
            entry.id == self.last.id + 1 && entry.previous_hash == self.last.hash && entry.hash() == entry.entry_hash;
        if fits {
            return self.accept(entry);
        }
        match judge(entry, self.last) {
            Verdict::Final(bad) => self.first_bad = Some(bad),
            Verdict::Open(suspicion) => self.suspicion = Some(suspicion),
        }
    }

    fn push_one_of_some(&mut self, entry: &ChainedEntry) {
        let id = entry.id;
        if entry.hash() != entry.entry_hash {
            self.first_bad = Some(edited(id));
        } else if id <= self.last.id {
            let detail = format!("Entry {id} stands behind entry {}.", self.last.id);
            self.first_bad = Some(FirstBad::new(id, Fault::Reordered, detail));
        } else if id == self.last.id + 1 && self.entries > 1 && entry.previous_hash != self.last.hash {
            let detail = format!(
                "Entry {} was edited and its hash computed anew: entry {id} follows another hash.",
                id - 1
            );
            self.first_bad = Some(FirstBad::new(id - 1, Fault::Edited, detail));
        } else {
            self.accept(entry);
        }
    }

    fn accept(&mut self, entry: &ChainedEntry) {
        while let Some(checkpoint) = self.checkpoints.pop_front_if(|next| next.id <= entry.id) {
            if checkpoint.id < entry.id {
                continue; // only of some entries
            }
            if checkpoint.entry_hash != entry.entry_hash {
                self.first_bad = Some(rewritten(&checkpoint, self.signed_to));
                return;
            }
            self.compared += 1;
            self.signed_to = entry.id;
        }
        self.last = Link {
            id: entry.id,
            hash: entry.entry_hash,
        };
    }

    fn missing_tail(&self, head: Option<Head>) -> Option<FirstBad> {
        let Link { id: last, hash } = self.last;
        let cut_off = |proof: String| {
            let detail = format!("The entries from {} on were cut off: {proof}.", last + 1);
            Some(FirstBad::new(last + 1, Fault::CutOff, detail))
        };
        if let Some(checkpoint) = self.checkpoints.back().filter(|_| self.coverage == Coverage::Whole) {
            return cut_off(format!(
                "entry {} was signed at {}",
                checkpoint.id, checkpoint.signed_at
            ));
        }
        match head {
            Some(head) if head.last_id > last => cut_off(format!("the log ends with entry {}", head.last_id)),
            Some(head) if head.last_id < last => {
                let first = head.last_id + 1;
                let detail = format!("Entry {first} was inserted: the log ends with entry {}.", head.last_id);
                Some(FirstBad::new(first, Fault::Inserted, detail))
            }
            Some(head) if head.entry_hash != hash => {
                let detail =
                    format!("Entry {last} was edited and its hash computed anew: the log ends with another hash.");
                Some(FirstBad::new(last, Fault::Edited, detail))
            }
            _ => None,
        }
    }
}

fn rewritten(checkpoint: &Checkpoint, signed_to: i64) -> FirstBad {
    let id = checkpoint.id;
    let detail = format!(
        "Entry {id} is not the one that was signed at {} ({}…): an entry between {} and {id} was changed and all later hashes \
         computed anew.",
        checkpoint.signed_at,
        &hex(&checkpoint.entry_hash)[..16],
        signed_to + 1,
    );
    FirstBad::new(id, Fault::Rewritten, detail)
}

fn refuse(checkpoint: &Checkpoint) -> FirstBad {
    let Checkpoint { id, kid, .. } = checkpoint;
    let detail =
        format!("The checkpoint at entry {id} is not signed by any key that is trusted (it names key {kid:?}).");
    FirstBad::new(*id, Fault::BadCheckpoint, detail)
}
