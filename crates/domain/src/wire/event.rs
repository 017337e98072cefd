//! One event, from its JSON to the event or to the reason why not.

use serde::de::MapAccess;
use uuid::Uuid;

use super::EventError;
use super::checks::{self, Limits, Problem};
use super::facts::{FactKey, RawFacts, RawSessions, SessionsShape};
use super::field::{Field, Key, Seed, Shape};
use crate::event::{Event, EventType, SessionFacts};

/// Longest part of an unacceptable event id that is kept, characters.
const MAX_EVENT_ID: usize = 100;

/// A bad event, as much of it as could be read.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) event_id: Option<String>,
    pub(super) seq: Option<u64>,
    pub(super) problem: Problem,
}

impl Refusal {
    pub(super) fn unreadable(detail: String) -> Self {
        Self {
            event_id: None,
            seq: None,
            problem: Problem::new(EventError::InvalidEvent, detail),
        }
    }
}

/// Reads one event. Fails on broken JSON only.
#[derive(Clone, Copy)]
pub(super) struct EventShape<'l>(pub(super) &'l Limits);

impl<'de> Shape<'de> for EventShape<'_> {
    type Value = Result<Event, Refusal>;

    fn other(self, found: Field<'de>) -> Self::Value {
        Err(Refusal::unreadable(format!(
            "The event is {}, expected an object.",
            found.describe()
        )))
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut raw = RawEvent::default();
        while let Some(key) = entries.next_key_seed(Key(EventKey::of))? {
            match key {
                EventKey::EventId => raw.event_id = entries.next_value()?,
                EventKey::Seq => raw.seq = entries.next_value()?,
                EventKey::Type => raw.event_type = entries.next_value()?,
                EventKey::EventTimeVpn => raw.event_time = entries.next_value()?,
                EventKey::Sessions => raw.sessions = entries.next_value_seed(Seed(SessionsShape(self.0)))?,
                EventKey::Fact(key) => raw.facts.read(key, &mut entries)?,
            }
        }
        Ok(raw.check(self.0))
    }
}

enum EventKey {
    EventId,
    Seq,
    Type,
    EventTimeVpn,
    Sessions,
    Fact(FactKey),
}

impl EventKey {
    fn of(name: &str) -> Self {
        match name {
            "event_id" => Self::EventId,
            "seq" => Self::Seq,
            "type" => Self::Type,
            "event_time_vpn" => Self::EventTimeVpn,
            "sessions" => Self::Sessions,
            _ => Self::Fact(FactKey::of(name)),
        }
    }
}

/// The fields of an event as they were found.
#[derive(Default)]
struct RawEvent<'a> {
    event_id: Field<'a>,
    seq: Field<'a>,
    event_type: Field<'a>,
    event_time: Field<'a>,
    facts: RawFacts<'a>,
    sessions: RawSessions<'a>,
}

impl RawEvent<'_> {
    fn check(self, limits: &Limits) -> Result<Event, Refusal> {
        let Self {
            event_id,
            seq,
            event_type,
            event_time,
            facts,
            sessions,
        } = self;
        checked(&event_id, &seq, &event_type, &event_time, facts, sessions, limits).map_err(|problem| Refusal {
            event_id: shown_id(&event_id),
            seq: checks::count(&seq, "seq", EventError::InvalidSeq).ok().flatten(),
            problem,
        })
    }
}

fn checked(
    event_id: &Field<'_>,
    seq: &Field<'_>,
    event_type: &Field<'_>,
    event_time: &Field<'_>,
    facts: RawFacts<'_>,
    sessions: RawSessions<'_>,
    limits: &Limits,
) -> Result<Event, Problem> {
    let event_id: Uuid = checks::event_id(event_id)?;
    let event_type = known_type(event_type)?;
    let event_time = checks::event_time(event_time, limits)?;
    let seq = checks::count(seq, "seq", EventError::InvalidSeq)?;
    let sessions = sessions_of(event_type, facts, sessions)?;
    Ok(Event {
        event_id,
        event_type,
        event_time,
        seq,
        boot_id: None,
        sessions,
    })
}

fn sessions_of(
    event_type: EventType,
    facts: RawFacts<'_>,
    sessions: RawSessions<'_>,
) -> Result<Vec<SessionFacts>, Problem> {
    match event_type {
        EventType::SessionConnected | EventType::SessionUpdated | EventType::SessionDisconnected => {
            Ok(vec![facts.check(None)?])
        }
        EventType::SessionSnapshot => sessions.check(),
        EventType::ServerStarted | EventType::ServerStopped => Ok(Vec::new()),
    }
}

fn known_type(value: &Field<'_>) -> Result<EventType, Problem> {
    let found = match value {
        Field::Absent => return Err(Problem::missing("type")),
        Field::Text(name) => EventType::parse(name),
        _ => None,
    };
    found.ok_or_else(|| {
        let names = EventType::ALL.map(EventType::as_str).join(", ");
        Problem::unexpected(EventError::InvalidType, "type", value, &format!("one of {names}"))
    })
}

/// The id as the agent wrote it, fit to be stored and shown.
fn shown_id(value: &Field<'_>) -> Option<String> {
    let id = match value {
        Field::Absent => return None,
        Field::Text(text) => text.chars().take(MAX_EVENT_ID).collect(),
        other => other.describe(),
    };
    Some(id.replace(char::is_control, "\u{fffd}"))
}
