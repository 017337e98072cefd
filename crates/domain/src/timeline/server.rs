use std::collections::{BTreeMap, HashSet};

use time::OffsetDateTime;
use uuid::Uuid;

use super::fact::{Fact, Takeover};
use super::track::{Effect, Track};
use crate::event::{Event, EventType};
use crate::session::Session;

/// What the timeline must know of a server besides its events.
#[derive(Debug, Clone, Copy)]
pub struct ServerTimeline<'a> {
    pub server_name: &'a str,
    /// The daemon runs with `duplicate-cn`: one common name may have several sessions at once.
    pub duplicate_cn: bool,
}

/// The sessions of a server, and what could not be matched.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// By common name, then by connect time and id.
    pub sessions: BTreeMap<String, Vec<Session>>,
    /// Updates and disconnects that wait for their session.
    pub unmatched: Vec<Uuid>,
}

/// Derives the sessions of one server from all of its events. Duplicates (by `event_id`) count once.
pub fn timeline(server: ServerTimeline<'_>, events: &[Event]) -> Timeline {
    let events = distinct(events);
    let mut tracks: BTreeMap<&str, Vec<Fact<'_>>> = BTreeMap::new();
    for name in events
        .iter()
        .flat_map(|event| &event.sessions)
        .map(|facts| facts.common_name.as_str())
    {
        tracks.entry(name).or_default();
    }
    let shared = shared_facts(&events);
    let takeovers: Vec<(&str, Takeover)> = events
        .iter()
        .filter_map(|event| Some((event.common_name()?, Takeover::of(event)?)))
        .collect();
    for (name, facts) in &mut tracks {
        facts.extend(shared.iter().cloned());
        facts.extend(own_facts(name, &events));
        facts.extend(
            takeovers
                .iter()
                .filter(|(by, _)| by != name)
                .map(|(_, takeover)| Fact::Takeover(*takeover)),
        );
    }
    let mut result = Timeline::default();
    for (name, mut facts) in tracks {
        facts.sort_by_key(Fact::key);
        let mut track = Track::new(server.server_name, name, server.duplicate_cn, Vec::new());
        track.apply_all(&facts);
        result.add(name, track);
    }
    result.unmatched.sort_unstable();
    result
}

impl Timeline {
    fn add(&mut self, common_name: &str, track: Track<'_>) {
        let last_effects: BTreeMap<Uuid, Effect> = track.effects.into_iter().collect();
        self.unmatched.extend(
            last_effects
                .into_iter()
                .filter(|(_, effect)| *effect == Effect::Unmatched)
                .map(|(id, _)| id),
        );
        if !track.sessions.is_empty() {
            let mut sessions = track.sessions;
            sessions.sort_by_key(|session| (session.connected_at, session.id));
            self.sessions.insert(common_name.to_owned(), sessions);
        }
    }
}

/// When each boot began: the time of its earliest event.
pub fn boot_starts<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeMap<Uuid, OffsetDateTime> {
    let mut starts = BTreeMap::new();
    for (boot_id, at) in events
        .into_iter()
        .filter_map(|event| Some((event.boot_id?, event.event_time)))
    {
        starts
            .entry(boot_id)
            .and_modify(|start: &mut OffsetDateTime| *start = at.min(*start))
            .or_insert(at);
    }
    starts
}

fn distinct(events: &[Event]) -> Vec<&Event> {
    let mut sorted: Vec<&Event> = events.iter().collect();
    // An id that stands for two different events is the agent's mistake; the earlier one counts.
    sorted.sort_by_key(|event| (event.event_time, event.seq, event.event_type, event.event_id));
    let mut seen = HashSet::new();
    sorted.retain(|event| seen.insert(event.event_id));
    sorted
}

/// Restarts and boots reach every track alike.
fn shared_facts<'a>(events: &[&'a Event]) -> Vec<Fact<'a>> {
    let boots = boot_starts(events.iter().copied())
        .into_iter()
        .map(|(boot_id, at)| Fact::Boot { at, boot_id });
    let restarts = events
        .iter()
        .filter(|event| matches!(event.event_type, EventType::ServerStarted | EventType::ServerStopped))
        .map(|event| Fact::Restart(event));
    boots.chain(restarts).collect()
}

fn own_facts<'a>(name: &str, events: &[&'a Event]) -> Vec<Fact<'a>> {
    let own = |event: &&'a Event| match event.event_type {
        EventType::SessionSnapshot => Some(Fact::Snapshot {
            event,
            entries: event
                .sessions
                .iter()
                .filter(|facts| facts.common_name == name)
                .collect(),
        }),
        _ => (event.common_name() == Some(name)).then(|| Fact::Session {
            event,
            facts: &event.sessions[0],
        }),
    };
    events.iter().filter_map(own).collect()
}
