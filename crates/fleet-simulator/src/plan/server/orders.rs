//! What the portal asks of a VPN server while its plan goes on.

use std::collections::HashMap;

use agent_api::TERMINATED;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::super::people::person;
use super::{Happening, ServerPlan};

/// How long a client waits that has lost its connection before it tries again, seconds of the servers' clocks.
const FIRST_TRY: (f64, f64) = (3.0, 12.0);
/// The same for one that was refused: OpenVPN waits longer each time.
const NEXT_TRY: (f64, f64) = (20.0, 90.0);

impl ServerPlan {
    /// When something happens next.
    pub(in super::super) fn due(&self) -> OffsetDateTime {
        let next = self.agenda.peek().map_or(u64::MAX, |next| next.0.0);
        self.clock_at(next as f64 / 1e6)
    }

    /// Ends a session as a daemon does that was told to; perhaps its client comes back. `false`: there is no such session.
    /// Nothing may be due before `at`.
    pub(in super::super) fn terminate(&mut self, session_id: Uuid, at: OffsetDateTime) -> bool {
        let passed = (at - self.settings.start).as_seconds_f64() * self.settings.speed;
        self.now = self.now.max(passed);
        let found = self.sessions.iter().find(|(_, session)| session.id == session_id);
        let Some(user) = found.map(|(cid, _)| *cid).and_then(|cid| self.end(cid, TERMINATED)) else {
            return false;
        };
        if self.dice.chance(self.settings.returns) {
            self.try_again(user, FIRST_TRY);
        }
        true
    }

    /// Who may not connect, and until when; the sessions of today stay.
    pub(in super::super) fn deny(&mut self, denied: HashMap<String, OffsetDateTime>) {
        self.denied = denied;
    }

    /// The session that a VPN user has now.
    pub(in super::super) fn session_of(&self, common_name: &str) -> Option<Uuid> {
        let mut sessions = self.sessions.values();
        let own = sessions.find(|session| session.person.common_name == common_name);
        own.map(|session| session.id)
    }

    /// A client that tries until it is let in.
    pub(super) fn come_back(&mut self, user: usize) {
        match self.refuses(user) {
            true => self.try_again(user, NEXT_TRY),
            false => self.connect(user),
        }
    }

    pub(super) fn refuses(&self, user: usize) -> bool {
        let until = || self.denied.get(&person(user).common_name);
        !self.denied.is_empty() && until().is_some_and(|until| *until > self.clock())
    }

    fn try_again(&mut self, user: usize, (shortest, longest): (f64, f64)) {
        let pause = self.dice.between(shortest, longest) * self.settings.speed;
        self.schedule(pause, Happening::Return(user));
    }

    fn clock_at(&self, now: f64) -> OffsetDateTime {
        let milliseconds = (now / self.settings.speed * 1e3) as i64;
        self.settings.start.saturating_add(Duration::milliseconds(milliseconds))
    }

    /// By the server's clock: with milliseconds, as agents send it.
    pub(super) fn clock(&self) -> OffsetDateTime {
        self.clock_at(self.now)
    }
}
