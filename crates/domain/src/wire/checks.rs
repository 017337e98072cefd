//! One check for each kind of value. Each takes what was found and answers the value or the problem.

use std::net::IpAddr;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::EventError;
use super::field::{Field, quote};
use crate::time_format::parse_rfc3339;

/// No OpenVPN server had anything to report before this.
pub(super) const EARLIEST: OffsetDateTime = datetime!(2000-01-01 00:00 UTC);
/// How far a server's clock may be ahead of ours.
pub(super) const MAX_AHEAD: Duration = Duration::hours(24);
pub(super) const MAX_COMMON_NAME: usize = 255;
/// The largest count that the database can hold.
const MAX_COUNT: u64 = i64::MAX.unsigned_abs();
/// A hundred years.
const MAX_SECONDS: u64 = 3_155_760_000;

/// What depends on the request, not on the event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    latest: OffsetDateTime,
    pub(super) max_events: usize,
}

impl Limits {
    pub(super) fn at(received_at: OffsetDateTime, max_events: usize) -> Self {
        Self {
            latest: received_at.saturating_add(MAX_AHEAD),
            max_events,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) error: EventError,
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn new(error: EventError, detail: String) -> Self {
        Self { error, detail }
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::new(EventError::MissingField, format!("The field {name} is missing."))
    }

    #[cold]
    pub(super) fn unexpected(error: EventError, name: &str, found: &Field<'_>, expected: &str) -> Self {
        Self::new(error, format!("{name} is {}, expected {expected}.", found.describe()))
    }
}

type Checked<T> = Result<T, Problem>;

pub(super) fn event_id(value: &Field<'_>) -> Checked<Uuid> {
    uuid(value, "event_id", EventError::InvalidEventId)?.ok_or_else(|| Problem::missing("event_id"))
}

pub(super) fn uuid(value: &Field<'_>, name: &str, error: EventError) -> Checked<Option<Uuid>> {
    match value {
        Field::Absent => Ok(None),
        Field::Text(text) => match Uuid::try_parse(text) {
            Ok(id) if !id.is_nil() => Ok(Some(id)),
            _ => Err(Problem::unexpected(error, name, value, "a UUID that is not nil")),
        },
        _ => Err(Problem::unexpected(error, name, value, "a UUID as a string")),
    }
}

pub(super) fn event_time(value: &Field<'_>, limits: &Limits) -> Checked<OffsetDateTime> {
    time(value, "event_time_vpn", limits)?.ok_or_else(|| Problem::missing("event_time_vpn"))
}

pub(super) fn time(value: &Field<'_>, name: &str, limits: &Limits) -> Checked<Option<OffsetDateTime>> {
    let expected = "an RFC 3339 time such as 2026-02-13T12:00:00Z";
    let invalid = || Problem::unexpected(EventError::InvalidEventTime, name, value, expected);
    let time = match value {
        Field::Absent => return Ok(None),
        Field::Text(text) => parse_rfc3339(text).ok_or_else(invalid)?,
        _ => return Err(invalid()),
    };
    if time < EARLIEST || time > limits.latest {
        let expected = "a time from 2000 on and at most 24 hours after its arrival";
        return Err(Problem::unexpected(
            EventError::EventTimeOutOfRange,
            name,
            value,
            expected,
        ));
    }
    Ok(Some(time))
}

pub(super) fn common_name(value: Field<'_>) -> Checked<String> {
    let expected = "1 to 255 characters without control characters";
    match value {
        Field::Absent => Err(Problem::missing("common_name")),
        Field::Text(text) if !text.is_empty() && is_clean(&text, MAX_COMMON_NAME) => Ok(text.into_owned()),
        other => Err(Problem::unexpected(
            EventError::InvalidCommonName,
            "common_name",
            &other,
            expected,
        )),
    }
}

/// Optional text; empty is the same as absent.
pub(super) fn text(value: Field<'_>, name: &str, max: usize) -> Checked<Option<String>> {
    match value {
        Field::Absent => Ok(None),
        Field::Text(text) if text.is_empty() => Ok(None),
        Field::Text(text) if is_clean(&text, max) => Ok(Some(text.into_owned())),
        Field::Text(text) => Err(unclean(name, &text, max)),
        other => Err(Problem::unexpected(EventError::InvalidText, name, &other, "a string")),
    }
}

#[cold]
fn unclean(name: &str, text: &str, max: usize) -> Problem {
    let detail = format!(
        "{name} is {}, expected at most {max} characters without control characters.",
        quote(text)
    );
    Problem::new(EventError::InvalidText, detail)
}

pub(super) fn is_clean(text: &str, max: usize) -> bool {
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if plain {
        return text.len() <= max;
    }
    text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// An address; IPv4 in IPv6 clothes becomes IPv4.
pub(super) fn address(value: &Field<'_>, name: &str, error: EventError) -> Checked<Option<IpAddr>> {
    match value {
        Field::Absent => Ok(None),
        Field::Text(text) => match text.parse::<IpAddr>() {
            Ok(address) => Ok(Some(address.to_canonical())),
            Err(_) => Err(Problem::unexpected(error, name, value, "an IPv4 or IPv6 address")),
        },
        _ => Err(Problem::unexpected(
            error,
            name,
            value,
            "an IPv4 or IPv6 address as a string",
        )),
    }
}

/// A port; old agents send it as a string.
pub(super) fn port(value: &Field<'_>) -> Checked<Option<u16>> {
    let port = match value {
        Field::Absent => return Ok(None),
        Field::Unsigned(port) => u16::try_from(*port).ok(),
        Field::Text(text) => port_from_text(text),
        _ => None,
    };
    let invalid = || {
        Problem::unexpected(
            EventError::InvalidRealPort,
            "real_port",
            value,
            "a port from 0 to 65535",
        )
    };
    port.map(Some).ok_or_else(invalid)
}

fn port_from_text(text: &str) -> Option<u16> {
    // `parse` would take a sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

pub(super) fn count(value: &Field<'_>, name: &str, error: EventError) -> Checked<Option<u64>> {
    count_up_to(value, name, error, MAX_COUNT)
}

pub(super) fn seconds(value: &Field<'_>, name: &str, error: EventError) -> Checked<Option<u64>> {
    count_up_to(value, name, error, MAX_SECONDS)
}

fn count_up_to(value: &Field<'_>, name: &str, error: EventError, max: u64) -> Checked<Option<u64>> {
    match value {
        Field::Absent => Ok(None),
        Field::Unsigned(count) if *count <= max => Ok(Some(*count)),
        _ => Err(Problem::unexpected(
            error,
            name,
            value,
            &format!("a whole number from 0 to {max}"),
        )),
    }
}
