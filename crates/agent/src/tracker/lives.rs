//! The lives of the daemon: its processes, and how often each has restarted itself.

use agent_api::{Event, EventType};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::session::seconds;
use super::{Tracker, stamp};

/// Daemons before this one that are remembered: a hook of theirs may run late.
const REMEMBERED_LIVES: usize = 16;

/// One life of the daemon: its process, and how often that has restarted itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Seconds since 1970.
    pub started_at: i64,
    /// Its process: two may begin within one second.
    pub pid: u64,
    /// When it restarted itself last (SIGUSR1, SIGHUP); 0: never. Client ids begin at 0 again.
    pub restarted_at: i64,
}

impl Boot {
    fn is_process_of(self, other: Self) -> bool {
        (self.started_at, self.pid) == (other.started_at, other.pid)
    }
}

impl Tracker {
    /// Another life of the daemon than the one that was known.
    pub(super) fn begin(&mut self, boot: Boot, events: &mut Vec<Event>) {
        let began_at = boot.restarted_at.max(boot.started_at);
        if let Some(before) = self.boot.replace(boot) {
            // Hooks, and notifications while the agent attaches, tell of this life's sessions before anything tells of the life.
            self.forget_sessions(began_at);
            self.alike.begin_life(began_at);
            self.earlier.push_back((before.started_at, before.pid));
            if self.earlier.len() > REMEMBERED_LIVES {
                self.earlier.pop_front();
            }
        }
        let at = seconds(began_at);
        let id = self.derive(&["started", &self.boot_id().to_string()]);
        events.push(Event::about_server(id, EventType::ServerStarted, at));
    }

    /// The management interface speaks of the daemon that is there now, whatever its clock says.
    pub(super) fn daemon(&mut self, boot: Boot, events: &mut Vec<Event>) {
        let is_later = |known: Boot| match boot.is_process_of(known) {
            true => boot.restarted_at > known.restarted_at,
            false => !self.was_before(boot),
        };
        if self.boot.is_none_or(is_later) {
            self.begin(boot, events);
        }
    }

    /// Whether it is another process than those that are known, and not one from before them.
    pub(super) fn is_new(&self, boot: Boot) -> bool {
        self.boot
            .is_none_or(|known| boot.started_at >= known.started_at && !boot.is_process_of(known))
            && !self.was_before(boot)
    }

    fn was_before(&self, boot: Boot) -> bool {
        self.earlier.contains(&(boot.started_at, boot.pid))
    }

    pub(super) fn restarting(&mut self, at: OffsetDateTime, events: &mut Vec<Event>) {
        let (started_at, pid) = self
            .boot
            .map_or((at.unix_timestamp(), 0), |boot| (boot.started_at, boot.pid));
        let restarted_at = at.unix_timestamp();
        self.begin(
            Boot {
                started_at,
                pid,
                restarted_at,
            },
            events,
        );
    }

    pub(super) fn exiting(&mut self, at: OffsetDateTime, events: &mut Vec<Event>) {
        let at = stamp(&mut self.latest, at);
        let id = self.derive(&["stopped", &self.boot_id().to_string()]);
        events.push(Event::about_server(id, EventType::ServerStopped, at));
        self.forget_sessions(i64::MAX);
    }
}
