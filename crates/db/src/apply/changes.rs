use std::collections::{BTreeMap, HashMap, HashSet};

use domain::session::SessionStatus;
use domain::timeline::{Effect, Track};
use time::OffsetDateTime;
use uuid::Uuid;

use super::load::TrackKey;
use super::record::SessionRecord;
use super::state::ServerState;

/// How a session has changed, as those who watch it see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Connected,
    Updated,
    Disconnected,
    /// It turned out to be another session's; it is gone.
    Withdrawn,
}

/// A session as it is after the batch.
#[derive(Debug, Clone)]
pub struct SessionChange {
    pub kind: ChangeKind,
    pub record: SessionRecord,
    pub server_name: String,
    pub common_name: String,
}

/// What became of one event.
#[derive(Debug, Clone, Copy, Default)]
struct Trace {
    opened: u32,
    matched: bool,
    unmatched: bool,
    session_id: Option<Uuid>,
}

/// A stored event that a replay has matched to another session, or to none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rematched {
    pub(super) event_id: Uuid,
    pub(super) event_time: OffsetDateTime,
    pub(super) session_id: Option<Uuid>,
}

/// Everything that a batch changes in sessions and in what events belong to.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) records: Vec<(ChangeKind, SessionRecord)>,
    traces: HashMap<Uuid, Trace>,
    pub(super) rematched: Vec<Rematched>,
    /// Stored events that wait no longer.
    pub(super) found: Vec<Uuid>,
    /// Stored events that wait again, because their session turned out not to be theirs.
    pub(super) lost: Vec<super::write::Unmatched>,
    pub(super) names: HashMap<i64, String>,
}

impl Changes {
    /// Adds what a track's facts have done to its stored sessions.
    pub(super) fn add(
        &mut self,
        track: TrackKey,
        server: &ServerState,
        result: Track<'_>,
        stored: &HashMap<Uuid, SessionRecord>,
    ) {
        for (event_id, effect) in &result.effects {
            self.trace(*event_id, *effect);
        }
        for session in result.sessions {
            let before = stored.get(&session.id);
            let status = status(&session, before);
            let unchanged = before.is_some_and(|before| before.session == session && before.status == status);
            if unchanged {
                continue;
            }
            let kind = match (before, status) {
                (_, SessionStatus::Disconnected) => ChangeKind::Disconnected,
                (None, _) => ChangeKind::Connected,
                (Some(_), _) => ChangeKind::Updated,
            };
            // Whoever keeps the highest version must not take a session that comes back for older than its withdrawal.
            let version = before.map_or(server.withdrawn_version, |before| before.version) + 1;
            self.records.push((
                kind,
                SessionRecord {
                    server_id: track.0,
                    vpn_user_id: track.1,
                    session,
                    status,
                    version,
                },
            ));
        }
    }

    /// Adds a stored session that the events no longer give.
    pub(super) fn withdraw(&mut self, mut record: SessionRecord) {
        record.version += 1;
        self.records.push((ChangeKind::Withdrawn, record));
    }

    /// Reports sessions as they are, for those who may have missed their change. `names` has their users' common names.
    pub(super) fn add_unchanged(&mut self, records: Vec<SessionRecord>, names: HashMap<i64, String>) {
        let changed: HashSet<Uuid> = self.records.iter().map(|(_, record)| record.session.id).collect();
        let unchanged = records
            .into_iter()
            .filter(|record| !changed.contains(&record.session.id));
        self.records.extend(unchanged.map(|record| match record.status {
            SessionStatus::Disconnected => (ChangeKind::Disconnected, record),
            _ => (ChangeKind::Updated, record),
        }));
        self.names.extend(names);
    }

    fn trace(&mut self, event_id: Uuid, effect: Effect) {
        let trace = self.traces.entry(event_id).or_default();
        match effect {
            Effect::Opened(id) => {
                trace.opened += 1;
                trace.session_id = Some(id);
            }
            Effect::Matched(id) => {
                *trace = Trace {
                    matched: true,
                    unmatched: false,
                    session_id: Some(id),
                    ..*trace
                };
            }
            Effect::Unmatched => trace.unmatched = true,
        }
    }

    /// How many sessions an event opened, and whether it was matched to one.
    pub(super) fn counts_of(&self, event_id: Uuid) -> (u32, u32) {
        self.traces
            .get(&event_id)
            .map_or((0, 0), |trace| (trace.opened, u32::from(trace.matched)))
    }

    /// The session that an event belongs to.
    pub(super) fn session_of(&self, event_id: Uuid) -> Option<Uuid> {
        self.traces.get(&event_id).and_then(|trace| trace.session_id)
    }

    pub(super) fn is_unmatched(&self, event_id: Uuid) -> bool {
        self.traces.get(&event_id).is_some_and(|trace| trace.unmatched)
    }

    pub(super) fn into_session_changes(self, servers: &BTreeMap<i32, ServerState>) -> Vec<SessionChange> {
        let Self { records, names, .. } = self;
        records
            .into_iter()
            .map(|(kind, record)| SessionChange {
                kind,
                server_name: servers[&record.server_id].name.clone(),
                common_name: names.get(&record.vpn_user_id).cloned().unwrap_or_default(),
                record,
            })
            .collect()
    }
}

/// An open session stays timed out until there is proof of its life.
fn status(session: &domain::session::Session, before: Option<&SessionRecord>) -> SessionStatus {
    match before {
        _ if !session.is_open() => SessionStatus::Disconnected,
        Some(before)
            if before.status == SessionStatus::Timeout && before.session.last_seen_at == session.last_seen_at =>
        {
            SessionStatus::Timeout
        }
        _ => SessionStatus::Active,
    }
}
