use serde::de::{DeserializeSeed, IgnoredAny, MapAccess};
use time::OffsetDateTime;
use uuid::Uuid;

use super::WireError;
use super::checks::{self, Limits, is_clean};
use super::envelope::{Head, optional_time, unexpected};
use super::facts::{RawSessions, SessionsShape};
use super::field::{Field, Key, Seed, Shape};
use crate::event::{Event, EventType, SessionFacts};

const MAX_TEXT: usize = 100;
const MAX_COUNT: u64 = i64::MAX.unsigned_abs();
/// Rounding and sampling may exceed a hundred a little.
const MAX_PERCENT: f64 = 101.0;
const MAX_LOAD: f64 = 1_000_000.0;
const INVALID: &str = "invalid_heartbeat";
/// Names the proofs of life that heartbeats give, so that a heartbeat sent twice proves once.
const PROOFS: Uuid = Uuid::from_u128(0x2b1e_8c05_93a4_4f7d_b6d2_5e0c_71f8_a349);

/// A body of `POST /api/v1/heartbeat`.
#[derive(Debug, Clone, PartialEq)]
pub struct HeartbeatRequest {
    pub server_id: String,
    /// The agent's clock when it sent the request.
    pub sent_at: Option<OffsetDateTime>,
    pub boot_id: Option<Uuid>,
    pub heartbeat: Heartbeat,
    /// Sessions that the daemon has, not necessarily all: proof of their lives when the heartbeat was sent.
    pub sessions: Vec<SessionFacts>,
}

impl HeartbeatRequest {
    /// The listed sessions' proofs of life, as updates.
    pub fn proofs(&mut self) -> Vec<Event> {
        let Some(sent_at) = self.sent_at else { return Vec::new() };
        let proof = |(index, facts): (usize, SessionFacts)| {
            let name = format!("{}\n{}\n{index}", self.server_id, sent_at.unix_timestamp_nanos());
            Event {
                event_id: Uuid::new_v5(&PROOFS, name.as_bytes()),
                event_type: EventType::SessionUpdated,
                event_time: sent_at,
                seq: None,
                boot_id: self.boot_id,
                sessions: vec![facts],
            }
        };
        std::mem::take(&mut self.sessions)
            .into_iter()
            .enumerate()
            .map(proof)
            .collect()
    }
}

/// Health of a daemon and its host. Unknown is `None`, never zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heartbeat {
    pub cpu_percent: Option<f64>,
    pub memory_percent: Option<f64>,
    pub load_1m: Option<f64>,
    pub openvpn_version: Option<String>,
    pub uptime_seconds: Option<u64>,
    pub session_count: Option<u64>,
    /// Data channel offload is in use.
    pub dco: Option<bool>,
    pub agent_version: Option<String>,
    /// Events in the agent's spool.
    pub spool_depth: Option<u64>,
    /// Time of the oldest event in the agent's spool.
    pub oldest_unsent_at: Option<OffsetDateTime>,
}

/// Reads a body of `POST /api/v1/heartbeat` that arrived at `received_at` and lists at most `max_sessions`.
///
/// # Errors
/// [`WireError`] names the first thing that is wrong.
pub fn parse_heartbeat(
    body: &[u8],
    received_at: OffsetDateTime,
    max_sessions: usize,
) -> Result<HeartbeatRequest, WireError> {
    let limits = Limits::at(received_at, max_sessions);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut raw = Seed(HeartbeatShape(&limits))
        .deserialize(&mut deserializer)
        .and_then(|raw| deserializer.end().map(|()| raw))
        .map_err(|error| WireError::NotJson(error.to_string()))??;
    let sessions = std::mem::take(&mut raw.sessions);
    Ok(HeartbeatRequest {
        server_id: raw.head.server_id()?,
        sent_at: raw.head.sent_at()?,
        boot_id: raw.head.boot_id()?,
        heartbeat: raw.heartbeat()?,
        sessions: raw.proven(sessions, &limits)?,
    })
}

/// The fields as they were found.
#[derive(Default)]
struct RawHeartbeat<'a> {
    head: Head<'a>,
    cpu_percent: Field<'a>,
    memory_percent: Field<'a>,
    load_1m: Field<'a>,
    openvpn_version: Field<'a>,
    uptime_seconds: Field<'a>,
    session_count: Field<'a>,
    dco: Field<'a>,
    agent_version: Field<'a>,
    spool_depth: Field<'a>,
    oldest_unsent_at: Field<'a>,
    sessions: RawSessions<'a>,
}

impl<'a> RawHeartbeat<'a> {
    fn field(&mut self, name: &str) -> Option<&mut Field<'a>> {
        Some(match name {
            "server_id" => &mut self.head.server_id,
            "sent_at" => &mut self.head.sent_at,
            "boot_id" => &mut self.head.boot_id,
            "cpu_percent" => &mut self.cpu_percent,
            "memory_percent" => &mut self.memory_percent,
            "load_1m" => &mut self.load_1m,
            "openvpn_version" => &mut self.openvpn_version,
            "uptime_seconds" => &mut self.uptime_seconds,
            "session_count" => &mut self.session_count,
            "dco" => &mut self.dco,
            "agent_version" => &mut self.agent_version,
            "spool_depth" => &mut self.spool_depth,
            "oldest_unsent_at" => &mut self.oldest_unsent_at,
            _ => return None,
        })
    }

    /// The listed sessions; without a time of its own a list proves nothing.
    fn proven(&self, sessions: RawSessions<'a>, limits: &Limits) -> Result<Vec<SessionFacts>, WireError> {
        if matches!(sessions, RawSessions::Absent) {
            return Ok(Vec::new());
        }
        let invalid = |problem: checks::Problem| WireError::InvalidField {
            error: INVALID,
            detail: problem.detail,
        };
        let sessions = sessions.check().map_err(invalid)?;
        if sessions.len() > limits.max_events {
            return Err(WireError::TooManyEvents {
                found: sessions.len(),
                limit: limits.max_events,
            });
        }
        match checks::time(&self.head.sent_at, "sent_at", limits).map_err(invalid)? {
            None if !sessions.is_empty() => Err(WireError::MissingField("sent_at")),
            _ => Ok(sessions),
        }
    }

    fn heartbeat(&self) -> Result<Heartbeat, WireError> {
        Ok(Heartbeat {
            cpu_percent: number(&self.cpu_percent, "cpu_percent", MAX_PERCENT)?,
            memory_percent: number(&self.memory_percent, "memory_percent", MAX_PERCENT)?,
            load_1m: number(&self.load_1m, "load_1m", MAX_LOAD)?,
            openvpn_version: text(&self.openvpn_version, "openvpn_version")?,
            uptime_seconds: count(&self.uptime_seconds, "uptime_seconds")?,
            session_count: count(&self.session_count, "session_count")?,
            dco: flag(&self.dco, "dco")?,
            agent_version: text(&self.agent_version, "agent_version")?,
            spool_depth: count(&self.spool_depth, "spool_depth")?,
            oldest_unsent_at: optional_time(&self.oldest_unsent_at, INVALID, "oldest_unsent_at")?,
        })
    }
}

struct HeartbeatShape<'l>(&'l Limits);

impl<'de> Shape<'de> for HeartbeatShape<'_> {
    type Value = Result<RawHeartbeat<'de>, WireError>;

    fn other(self, found: Field<'de>) -> Self::Value {
        Err(WireError::NotAnObject {
            found: found.describe(),
        })
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut raw = RawHeartbeat::default();
        while let Some(name) = entries.next_key_seed(Key(str::to_owned))? {
            if name == "sessions" {
                raw.sessions = entries.next_value_seed(Seed(SessionsShape(self.0)))?;
                continue;
            }
            match raw.field(&name) {
                Some(field) => *field = entries.next_value()?,
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Ok(raw))
    }
}

#[expect(clippy::cast_precision_loss, reason = "health figures, not counts")]
fn number(value: &Field<'_>, name: &str, max: f64) -> Result<Option<f64>, WireError> {
    let found = match value {
        Field::Absent => return Ok(None),
        Field::Unsigned(number) => Some(*number as f64),
        Field::Float(number) => Some(*number),
        _ => None,
    };
    let valid = found.filter(|number| (0.0..=max).contains(number));
    valid
        .map(Some)
        .ok_or_else(|| unexpected(INVALID, name, value, &format!("a number from 0 to {max}")))
}

fn count(value: &Field<'_>, name: &str) -> Result<Option<u64>, WireError> {
    match value {
        Field::Absent => Ok(None),
        Field::Unsigned(count) if *count <= MAX_COUNT => Ok(Some(*count)),
        _ => Err(unexpected(
            INVALID,
            name,
            value,
            &format!("a whole number from 0 to {MAX_COUNT}"),
        )),
    }
}

fn flag(value: &Field<'_>, name: &str) -> Result<Option<bool>, WireError> {
    match value {
        Field::Absent => Ok(None),
        Field::Bool(flag) => Ok(Some(*flag)),
        _ => Err(unexpected(INVALID, name, value, "true or false")),
    }
}

fn text(value: &Field<'_>, name: &str) -> Result<Option<String>, WireError> {
    match value {
        Field::Absent => Ok(None),
        Field::Text(text) if text.is_empty() => Ok(None),
        Field::Text(text) if is_clean(text, MAX_TEXT) => Ok(Some(text.clone().into_owned())),
        _ => {
            let expected = format!("a string of at most {MAX_TEXT} characters without control characters");
            Err(unexpected(INVALID, name, value, &expected))
        }
    }
}
