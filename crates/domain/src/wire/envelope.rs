//! The body around the events.

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use super::checks::Limits;
use super::event::{EventShape, Refusal};
use super::field::{Field, Key, Seed, Shape};
use super::{EventsRequest, MAX_REJECTED_JSON, Rejection, WireError};
use crate::event::Event;
use crate::time_format::parse_rfc3339;

/// The body as it was found; `L` is what its list of events was read into.
pub(super) struct Body<'a, L> {
    pub(super) head: Head<'a>,
    events: Option<Result<L, Field<'a>>>,
}

/// What events and heartbeats have in common.
#[derive(Default)]
pub(super) struct Head<'a> {
    pub(super) server_id: Field<'a>,
    pub(super) sent_at: Field<'a>,
    pub(super) boot_id: Field<'a>,
}

/// A list of events that may be longer than it is read.
pub(super) struct List<T> {
    items: Vec<T>,
    received: usize,
    /// Some event is not acceptable; `items` ends before it.
    spoiled: bool,
}

/// Reads a body in one pass, as long as all its events are good: `None` when one is not, or when its JSON is broken.
pub(super) fn read_good(text: &str, limits: &Limits) -> Option<Result<EventsRequest, WireError>> {
    let body = match read(text, GoodEvents(limits)).ok()? {
        Ok(body) => body,
        Err(error) => return Some(Err(error)),
    };
    if matches!(&body.events, Some(Ok(list)) if list.spoiled) {
        return None;
    }
    Some(body.finish(limits, |list| (list.items, Vec::new())))
}

/// Reads a body event by event and keeps the JSON of those that are bad.
pub(super) fn read_one_by_one(text: &str, limits: &Limits) -> Result<EventsRequest, WireError> {
    let body = read(text, EventTexts(limits)).map_err(|error| WireError::NotJson(error.to_string()))??;
    body.finish(limits, |list| {
        let mut events = Vec::with_capacity(list.items.len());
        let mut rejected = Vec::new();
        for (index, raw) in list.items.into_iter().enumerate() {
            match read_event(raw.get(), limits) {
                Ok(event) => events.push(event),
                Err(refusal) => rejected.push(rejection(index, refusal, raw.get())),
            }
        }
        (events, rejected)
    })
}

fn read_event(text: &str, limits: &Limits) -> Result<Event, Refusal> {
    Seed(EventShape(limits))
        .deserialize(&mut serde_json::Deserializer::from_str(text))
        .unwrap_or_else(|error| Err(Refusal::unreadable(format!("The event cannot be read: {error}."))))
}

fn rejection(index: usize, refusal: Refusal, text: &str) -> Rejection {
    let end = text.floor_char_boundary(MAX_REJECTED_JSON);
    Rejection {
        index,
        event_id: refusal.event_id,
        seq: refusal.seq,
        error: refusal.problem.error,
        detail: refusal.problem.detail,
        event_json: text[..end].to_owned(),
    }
}

type Read<'a, L> = Result<Result<Body<'a, L>, WireError>, serde_json::Error>;

fn read<'a, L, S>(text: &'a str, events: S) -> Read<'a, L>
where
    S: Shape<'a, Value = Result<L, Field<'a>>> + Copy,
{
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let body = Seed(BodyShape(events)).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(body)
}

struct BodyShape<S>(S);

impl<'de, L, S: Shape<'de, Value = Result<L, Field<'de>>> + Copy> Shape<'de> for BodyShape<S> {
    type Value = Result<Body<'de, L>, WireError>;

    fn other(self, found: Field<'de>) -> Self::Value {
        Err(WireError::NotAnObject {
            found: found.describe(),
        })
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut body = Body {
            head: Head::default(),
            events: None,
        };
        while let Some(key) = entries.next_key_seed(Key(BodyKey::of))? {
            match key {
                BodyKey::ServerId => body.head.server_id = entries.next_value()?,
                BodyKey::SentAt => body.head.sent_at = entries.next_value()?,
                BodyKey::BootId => body.head.boot_id = entries.next_value()?,
                BodyKey::Events => body.events = Some(entries.next_value_seed(Seed(self.0))?),
                BodyKey::Unknown => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Ok(body))
    }
}

enum BodyKey {
    ServerId,
    SentAt,
    BootId,
    Events,
    Unknown,
}

impl BodyKey {
    fn of(name: &str) -> Self {
        match name {
            "server_id" => Self::ServerId,
            "sent_at" => Self::SentAt,
            "boot_id" => Self::BootId,
            "events" => Self::Events,
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone, Copy)]
struct GoodEvents<'l>(&'l Limits);

impl<'de> Shape<'de> for GoodEvents<'_> {
    type Value = Result<List<Event>, Field<'de>>;

    fn other(self, found: Field<'de>) -> Self::Value {
        Err(found)
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = List {
            items: Vec::new(),
            received: 0,
            spoiled: false,
        };
        while list.items.len() < self.0.max_events
            && let Some(event) = items.next_element_seed(Seed(EventShape(self.0)))?
        {
            list.received += 1;
            match event {
                Ok(event) => list.items.push(event),
                Err(_) => {
                    list.spoiled = true;
                    break;
                }
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            list.received += 1;
        }
        Ok(Ok(list))
    }
}

#[derive(Clone, Copy)]
struct EventTexts<'l>(&'l Limits);

impl<'de> Shape<'de> for EventTexts<'_> {
    type Value = Result<List<&'de RawValue>, Field<'de>>;

    fn other(self, found: Field<'de>) -> Self::Value {
        Err(found)
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = List {
            items: Vec::new(),
            received: 0,
            spoiled: false,
        };
        while let Some(text) = items.next_element()? {
            list.received += 1;
            if list.received <= self.0.max_events {
                list.items.push(text);
            }
        }
        Ok(Ok(list))
    }
}

impl<L> Body<'_, List<L>> {
    fn finish(
        self,
        limits: &Limits,
        split: impl FnOnce(List<L>) -> (Vec<Event>, Vec<Rejection>),
    ) -> Result<EventsRequest, WireError> {
        let server_id = self.head.server_id()?;
        let sent_at = self.head.sent_at()?;
        let boot_id = self.head.boot_id()?;
        let list = match self.events {
            Some(Ok(list)) => list,
            None | Some(Err(Field::Absent)) => return Err(WireError::MissingField("events")),
            Some(Err(found)) => return Err(unexpected("invalid_events", "events", &found, "an array of events")),
        };
        let received = list.received;
        if received > limits.max_events {
            return Err(WireError::TooManyEvents {
                found: received,
                limit: limits.max_events,
            });
        }
        let (mut events, rejected) = split(list);
        for event in &mut events {
            event.boot_id = boot_id;
        }
        Ok(EventsRequest {
            server_id,
            sent_at,
            boot_id,
            received,
            events,
            rejected,
        })
    }
}

impl Head<'_> {
    pub(super) fn server_id(&self) -> Result<String, WireError> {
        match &self.server_id {
            Field::Absent => Err(WireError::MissingField("server_id")),
            Field::Text(name) => Ok(name.clone().into_owned()),
            found => Err(unexpected(
                "invalid_server_id",
                "server_id",
                found,
                "the VPN server's name as a string",
            )),
        }
    }

    pub(super) fn sent_at(&self) -> Result<Option<OffsetDateTime>, WireError> {
        optional_time(&self.sent_at, "invalid_sent_at", "sent_at")
    }

    pub(super) fn boot_id(&self) -> Result<Option<Uuid>, WireError> {
        let id = match &self.boot_id {
            Field::Absent => return Ok(None),
            Field::Text(text) => Uuid::try_parse(text).ok().filter(|id| !id.is_nil()),
            _ => None,
        };
        id.map(Some)
            .ok_or_else(|| unexpected("invalid_boot_id", "boot_id", &self.boot_id, "a UUID that is not nil"))
    }
}

pub(super) fn optional_time(
    value: &Field<'_>,
    error: &'static str,
    name: &str,
) -> Result<Option<OffsetDateTime>, WireError> {
    let time = match value {
        Field::Absent => return Ok(None),
        Field::Text(text) => parse_rfc3339(text),
        _ => None,
    };
    let expected = "an RFC 3339 time such as 2026-02-13T12:00:00Z";
    time.map(Some).ok_or_else(|| unexpected(error, name, value, expected))
}

pub(super) fn unexpected(error: &'static str, name: &str, found: &Field<'_>, expected: &str) -> WireError {
    WireError::InvalidField {
        error,
        detail: format!("{name} is {}, expected {expected}.", found.describe()),
    }
}
