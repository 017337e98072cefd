//! Sessions that are alike in all that names a session: a VPN user whom the daemon gives the same address twice within one second,
//! as it does when two devices with one certificate throw each other out.

use std::collections::HashMap;
use std::net::IpAddr;

use agent_api::Session;

use super::session::Key;

/// Names that are kept at least; those of sessions to come are not among them.
const KEPT: usize = 1_000;

/// What tells one of several from the others: where it came from, and its client id in this life of the daemon.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Witness {
    from: Option<(IpAddr, u16)>,
    cid: Option<u64>,
    is_past: bool,
}

impl Witness {
    /// As a hook or a notification tells of its connect.
    pub(super) fn of_connect(session: &Session) -> Self {
        Self {
            from: session.real_ip.zip(session.real_port),
            cid: session.cid,
            is_past: false,
        }
    }

    /// As a list tells, where it may have moved since.
    pub(super) fn listed(cid: Option<u64>) -> Self {
        Self { cid, ..Self::default() }
    }

    /// Whether both may be the same session.
    fn agrees(&self, other: &Self) -> bool {
        let from = self.from.zip(other.from).map(|(one, other)| one == other);
        let cid = self.cid.zip(other.cid).map(|(one, other)| one == other);
        match self.is_past {
            true => from == Some(true),
            false => cid.or(from).unwrap_or(true),
        }
    }
}

/// The sessions of each name, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Alike(HashMap<Key, Vec<Witness>>);

impl Alike {
    /// The key of the session that is seen; of a new one where none of its name agrees.
    pub(super) fn key_of(&mut self, name: Key, seen: Witness) -> Key {
        let known = self.0.entry(name.clone()).or_default();
        let nth = known.iter().rposition(|witness| witness.agrees(&seen));
        let nth = nth.unwrap_or_else(|| {
            known.push(seen);
            known.len() - 1
        });
        known[nth].from = known[nth].from.or(seen.from);
        known[nth].cid = known[nth].cid.or(seen.cid);
        Key { nth, ..name }
    }

    /// One that an earlier run has known.
    pub(super) fn restore(&mut self, key: &Key, cid: Option<u64>) {
        let known = self.0.entry(Key { nth: 0, ..key.clone() }).or_default();
        let past = Witness {
            is_past: true,
            ..Witness::default()
        };
        known.resize(known.len().max(key.nth + 1), past);
        known[key.nth] = Witness::listed(cid);
    }

    /// The key of the session that has ended: one that has moved is the latest.
    pub(super) fn key_of_end(&self, name: Key, seen: Witness) -> Key {
        let known = self.0.get(&name).map(Vec::as_slice).unwrap_or_default();
        let same = known
            .iter()
            .rposition(|witness| seen.from.is_some() && witness.from == seen.from);
        Key {
            nth: same.unwrap_or(known.len().saturating_sub(1)),
            ..name
        }
    }

    /// Client ids begin anew, and with them sessions.
    pub(super) fn begin_life(&mut self, at: i64) {
        let past = self.0.iter_mut().filter(|(name, _)| name.connected_at < at);
        past.flat_map(|(_, known)| known)
            .for_each(|witness| witness.is_past = true);
    }

    /// Forgets names that no session has any more, when they have become many.
    pub(super) fn keep(&mut self, open: usize, is_open: impl Fn(&Key) -> bool) {
        if self.0.len() > 2 * open + KEPT {
            self.0
                .retain(|name, known| (0..known.len()).any(|nth| is_open(&Key { nth, ..name.clone() })));
        }
    }
}
