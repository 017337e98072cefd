//! What agents send, as bytes, made into events. One bad event never costs the good ones beside it.
//!
//! Lenient about what newer or simpler agents do: unknown fields are ignored, `null` is the same as absent, of a key given
//! twice the last counts. Strict about values: nothing is guessed, a wrong value refuses its event and says why.

mod checks;
mod envelope;
mod event;
mod facts;
mod field;
mod heartbeat;
mod inventory;
#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that the tests can write json! in place"
)]
mod tests;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::event::Event;

pub use heartbeat::{Heartbeat, HeartbeatRequest, parse_heartbeat};
pub use inventory::{InventoryRequest, parse_inventory};

/// Longest part of a refused event's JSON that is kept, bytes.
pub const MAX_REJECTED_JSON: usize = 16 << 10;

/// A body of `POST /api/v1/events`.
#[derive(Debug, Clone, PartialEq)]
pub struct EventsRequest {
    pub server_id: String,
    /// The agent's clock when it sent the request.
    pub sent_at: Option<OffsetDateTime>,
    pub boot_id: Option<Uuid>,
    /// How many events the body has, acceptable or not.
    pub received: usize,
    /// The acceptable ones, in the order of the body.
    pub events: Vec<Event>,
    /// The others, in the order of the body.
    pub rejected: Vec<Rejection>,
}

impl EventsRequest {
    /// Where in the body the `accepted`-th of [`Self::events`] stands, both from 0.
    pub fn index_of(&self, accepted: usize) -> usize {
        let before = |index: &usize, rejection: &Rejection| rejection.index <= *index;
        self.rejected.iter().fold(accepted, |index, rejection| {
            index + usize::from(before(&index, rejection))
        })
    }
}

/// An event that is not acceptable, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its position in the request, from 0.
    pub index: usize,
    /// As the agent wrote it, cut; it may be no UUID.
    pub event_id: Option<String>,
    /// Its number, if that at least is valid: the event arrived, so it is no gap.
    pub seq: Option<u64>,
    pub error: EventError,
    /// A sentence for the author of the agent.
    pub detail: String,
    /// The event's own JSON, cut at [`MAX_REJECTED_JSON`].
    pub event_json: String,
}

/// Why an event is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventError {
    InvalidEvent,
    MissingField,
    InvalidEventId,
    InvalidType,
    InvalidCommonName,
    InvalidEventTime,
    EventTimeOutOfRange,
    InvalidSeq,
    InvalidSessionId,
    InvalidRealIp,
    InvalidRealPort,
    InvalidVirtualIp,
    InvalidVirtualIp6,
    InvalidBytes,
    InvalidBytesSource,
    InvalidDuration,
    InvalidCid,
    InvalidText,
    InvalidSessions,
}

impl EventError {
    /// The stable code in answers and dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidEvent => "invalid_event",
            Self::MissingField => "missing_field",
            Self::InvalidEventId => "invalid_event_id",
            Self::InvalidType => "invalid_type",
            Self::InvalidCommonName => "invalid_common_name",
            Self::InvalidEventTime => "invalid_event_time",
            Self::EventTimeOutOfRange => "event_time_out_of_range",
            Self::InvalidSeq => "invalid_seq",
            Self::InvalidSessionId => "invalid_session_id",
            Self::InvalidRealIp => "invalid_real_ip",
            Self::InvalidRealPort => "invalid_real_port",
            Self::InvalidVirtualIp => "invalid_virtual_ip",
            Self::InvalidVirtualIp6 => "invalid_virtual_ip6",
            Self::InvalidBytes => "invalid_bytes",
            Self::InvalidBytesSource => "invalid_bytes_source",
            Self::InvalidDuration => "invalid_duration",
            Self::InvalidCid => "invalid_cid",
            Self::InvalidText => "invalid_text",
            Self::InvalidSessions => "invalid_sessions",
        }
    }
}

/// Why a whole body is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("The body is not JSON: {0}.")]
    NotJson(String),
    #[error("The body is {found}, expected an object.")]
    NotAnObject { found: String },
    #[error("The field {0} is missing.")]
    MissingField(&'static str),
    /// A field of the body itself; the code names it.
    #[error("{detail}")]
    InvalidField { error: &'static str, detail: String },
    #[error("The body has {found} events, at most {limit} are accepted.")]
    TooManyEvents { found: usize, limit: usize },
    #[error("The inventory has {found} entries, at most {limit} are accepted.")]
    TooManyEntries { found: usize, limit: usize },
}

impl WireError {
    /// The stable code in answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "invalid_json",
            Self::NotAnObject { .. } => "invalid_body",
            Self::MissingField(_) => "missing_field",
            Self::InvalidField { error, .. } => error,
            Self::TooManyEvents { .. } => "too_many_events",
            Self::TooManyEntries { .. } => "too_many_entries",
        }
    }
}

/// Reads a body of `POST /api/v1/events`. `received_at` is the arrival by our clock, `max_events` the most that are
/// accepted.
///
/// # Errors
/// [`WireError`] when the body as a whole is not of this shape; a bad event is an `Err` in [`EventsRequest::events`].
pub fn parse_events(body: &[u8], received_at: OffsetDateTime, max_events: usize) -> Result<EventsRequest, WireError> {
    let text = std::str::from_utf8(body).map_err(|error| WireError::NotJson(error.to_string()))?;
    let limits = checks::Limits::at(received_at, max_events);
    // When some event is bad, or its JSON is, read them one by one: to keep the text of those and the rest whole.
    envelope::read_good(text, &limits).unwrap_or_else(|| envelope::read_one_by_one(text, &limits))
}
