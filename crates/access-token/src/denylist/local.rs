//! The copy in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::revocation::Revocation;
use time::OffsetDateTime;
use uuid::Uuid;

use super::ENTRY_LIFE;
use crate::caller::Caller;

#[derive(Default)]
pub(super) struct Local(RwLock<Entries>);

/// Each with the time after which no token can be meant.
#[derive(Default)]
struct Entries {
    sessions: HashMap<Uuid, OffsetDateTime>,
    users: HashMap<i64, (i32, OffsetDateTime)>,
}

impl Local {
    pub(super) fn denies(&self, caller: &Caller) -> bool {
        let entries = self.read();
        entries.sessions.contains_key(&caller.session_id)
            || entries
                .users
                .get(&caller.portal_user_id)
                .is_some_and(|(version, _)| caller.token_version < *version)
    }

    /// Whether that was news.
    pub(super) fn add(&self, revocation: Revocation, now: OffsetDateTime) -> bool {
        let expires = now + ENTRY_LIFE;
        let mut entries = self.write();
        match revocation {
            Revocation::PortalSession(id) => entries.sessions.insert(id, expires).is_none(),
            Revocation::PortalUser { id, token_version } => {
                let entry = entries.users.entry(id).or_insert((i32::MIN, expires));
                let news = entry.0 < token_version;
                *entry = (entry.0.max(token_version), expires);
                news
            }
        }
    }

    pub(super) fn forget_expired(&self, now: OffsetDateTime) {
        let expired = |entries: &Entries| {
            let mut times = entries
                .sessions
                .values()
                .chain(entries.users.values().map(|(_, expires)| expires));
            times.any(|expires| *expires <= now)
        };
        if expired(&self.read()) {
            let mut entries = self.write();
            entries.sessions.retain(|_, expires| *expires > now);
            entries.users.retain(|_, (_, expires)| *expires > now);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
