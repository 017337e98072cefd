//! The active sessions as they stand at one position.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::change::Change;

/// How long an ended session keeps changes out that come late.
const ENDED_FOR: Duration = Duration::from_secs(900);

/// A session as it was read from the live cache or the database.
#[derive(Debug, Clone)]
pub(crate) struct Seed {
    pub(crate) id: Uuid,
    pub(crate) version: u32,
    pub(crate) server_instance: String,
    pub(crate) json: String,
}

/// An active session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) version: u32,
    pub(crate) server: Arc<str>,
    pub(crate) json: Arc<str>,
    /// Read, not heard: the change that made it so may still come.
    seeded: bool,
}

/// What a change was to the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    New,
    /// Every snapshot has it already, because it was read; a client that comes back with an older position has not.
    Seeded,
    /// An older or the same version of what was heard before.
    Stale,
}

#[derive(Debug, Default)]
pub(crate) struct View {
    sessions: HashMap<Uuid, Session>,
    active_of: HashMap<Arc<str>, usize>,
    ended: HashMap<Uuid, u32>,
    ended_at: VecDeque<(Instant, Uuid)>,
}

impl View {
    pub(crate) fn new(seeds: Vec<Seed>) -> Self {
        let mut view = Self::default();
        for seed in seeds {
            let server: Arc<str> = seed.server_instance.into();
            let session = Session {
                version: seed.version,
                server,
                json: seed.json.into(),
                seeded: true,
            };
            view.insert(seed.id, session);
        }
        view
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Active sessions by VPN server; servers without any are left out.
    pub(crate) fn active_of(&self) -> impl Iterator<Item = (&str, usize)> {
        self.active_of.iter().map(|(server, count)| (&**server, *count))
    }

    /// The version that is known of a session, active or ended not long ago.
    pub(crate) fn version_of(&self, id: Uuid) -> Option<u32> {
        let active = self.sessions.get(&id).map(|session| session.version);
        active.or_else(|| self.ended.get(&id).copied())
    }

    pub(crate) fn active_ids(&self) -> impl Iterator<Item = (Uuid, u32)> {
        self.sessions.iter().map(|(id, session)| (*id, session.version))
    }

    /// Takes a change that comes after the view was read.
    pub(crate) fn apply(&mut self, server: &Arc<str>, change: &Change, now: Instant) -> Applied {
        match self.sessions.get(&change.id) {
            Some(known) if change.version <= known.version && known.seeded => return Applied::Seeded,
            Some(known) if change.version <= known.version => return Applied::Stale,
            _ => {}
        }
        if self.ended.get(&change.id).is_some_and(|ended| change.version <= *ended) {
            return Applied::Stale;
        }
        if change.active {
            let session = Session {
                version: change.version,
                server: Arc::clone(server),
                json: change.json.as_str().into(),
                seeded: false,
            };
            self.insert(change.id, session);
        } else {
            self.remove(change.id);
            self.end(change, now);
        }
        Applied::New
    }

    /// Takes a change from before the view was read: it is in there already, or has been overtaken.
    pub(crate) fn remember(&mut self, change: &Change, now: Instant) {
        if !change.active && !self.sessions.contains_key(&change.id) {
            self.end(change, now);
        }
    }

    fn insert(&mut self, id: Uuid, session: Session) {
        self.ended.remove(&id);
        *self.active_of.entry(Arc::clone(&session.server)).or_default() += 1;
        if let Some(old) = self.sessions.insert(id, session) {
            self.count_out(&old.server);
        }
    }

    fn remove(&mut self, id: Uuid) {
        if let Some(old) = self.sessions.remove(&id) {
            self.count_out(&old.server);
        }
    }

    fn count_out(&mut self, server: &Arc<str>) {
        if let Some(count) = self.active_of.get_mut(server) {
            *count -= 1;
            if *count == 0 {
                self.active_of.remove(server);
            }
        }
    }

    fn end(&mut self, change: &Change, now: Instant) {
        let version = self.ended.entry(change.id).or_default();
        *version = change.version.max(*version);
        self.ended_at.push_back((now, change.id));
        while let Some((at, id)) = self.ended_at.front().copied() {
            if now.duration_since(at) < ENDED_FOR {
                break;
            }
            self.ended_at.pop_front();
            self.ended.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Event;

    fn change(id: u128, version: u32, active: bool) -> Change {
        Change {
            event: Event::Updated,
            id: Uuid::from_u128(id),
            version,
            active,
            json: format!("{{\"version\":{version}}}"),
        }
    }

    fn seed(id: u128, version: u32) -> Seed {
        Seed {
            id: Uuid::from_u128(id),
            version,
            server_instance: "vpn-1".to_owned(),
            json: "{}".to_owned(),
        }
    }

    fn apply(view: &mut View, change: &Change) -> Applied {
        view.apply(&"vpn-1".into(), change, Instant::now())
    }

    #[test]
    fn the_highest_version_wins_in_whatever_order_changes_come() {
        let mut view = View::default();
        assert_eq!(apply(&mut view, &change(1, 2, false)), Applied::New);
        assert_eq!(apply(&mut view, &change(1, 1, true)), Applied::Stale);
        assert_eq!(view.len(), 0);
        assert_eq!(apply(&mut view, &change(1, 3, true)), Applied::New);
        assert_eq!(apply(&mut view, &change(1, 3, true)), Applied::Stale);
        assert_eq!(view.len(), 1);
        assert_eq!(Vec::from_iter(view.active_of()), [("vpn-1", 1)]);
    }

    #[test]
    fn what_was_read_is_told_apart_from_what_was_heard() {
        let mut view = View::new(vec![seed(1, 2)]);
        assert_eq!(apply(&mut view, &change(1, 1, true)), Applied::Seeded);
        assert_eq!(apply(&mut view, &change(1, 2, true)), Applied::Seeded);
        assert_eq!(apply(&mut view, &change(1, 3, true)), Applied::New);
        assert_eq!(apply(&mut view, &change(1, 3, true)), Applied::Stale);
    }

    #[test]
    fn an_end_from_before_keeps_late_changes_out() {
        let mut view = View::new(Vec::new());
        view.remember(&change(1, 2, false), Instant::now());
        view.remember(&change(2, 1, true), Instant::now());
        assert_eq!(apply(&mut view, &change(1, 1, true)), Applied::Stale);
        assert_eq!(view.len(), 0);
    }

    #[test]
    fn servers_without_sessions_are_not_counted() {
        let mut view = View::new(vec![seed(1, 1), seed(2, 1)]);
        apply(&mut view, &change(1, 2, false));
        assert_eq!(Vec::from_iter(view.active_of()), [("vpn-1", 1)]);
        apply(&mut view, &change(2, 2, false));
        assert_eq!(view.active_of().count(), 0);
    }
}
