use serde::de::{DeserializeSeed, IgnoredAny, MapAccess};
use time::OffsetDateTime;
use uuid::Uuid;

use super::WireError;
use super::checks::is_clean;
use super::envelope::{Head, optional_time, unexpected};
use super::field::{Field, Key, Seed, Shape};

const MAX_TEXT: usize = 100;
const MAX_COUNT: u64 = i64::MAX.unsigned_abs();
/// Rounding and sampling may exceed a hundred a little.
const MAX_PERCENT: f64 = 101.0;
const MAX_LOAD: f64 = 1_000_000.0;
const INVALID: &str = "invalid_heartbeat";

/// A body of `POST /api/v1/heartbeat`.
#[derive(Debug, Clone, PartialEq)]
pub struct HeartbeatRequest {
    pub server_id: String,
    /// The agent's clock when it sent the request.
    pub sent_at: Option<OffsetDateTime>,
    pub boot_id: Option<Uuid>,
    pub heartbeat: Heartbeat,
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

/// Reads a body of `POST /api/v1/heartbeat`.
///
/// # Errors
/// [`WireError`] names the first thing that is wrong.
pub fn parse_heartbeat(body: &[u8]) -> Result<HeartbeatRequest, WireError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let raw = Seed(HeartbeatShape)
        .deserialize(&mut deserializer)
        .and_then(|raw| deserializer.end().map(|()| raw))
        .map_err(|error| WireError::NotJson(error.to_string()))??;
    Ok(HeartbeatRequest {
        server_id: raw.head.server_id()?,
        sent_at: raw.head.sent_at()?,
        boot_id: raw.head.boot_id()?,
        heartbeat: raw.heartbeat()?,
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

struct HeartbeatShape;

impl<'de> Shape<'de> for HeartbeatShape {
    type Value = Result<RawHeartbeat<'de>, WireError>;

    fn other(self, found: Field<'de>) -> Self::Value {
        Err(WireError::NotAnObject {
            found: found.describe(),
        })
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut raw = RawHeartbeat::default();
        while let Some(name) = entries.next_key_seed(Key(str::to_owned))? {
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
