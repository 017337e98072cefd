//! Between the bus messages and the events of the domain.

use std::net::IpAddr;

use domain::event::{BytesSource, Client, Event, EventType, SessionFacts};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::proto;

/// A message that decodes but says something that no publisher of ours writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field {field} of the message is invalid: {found}")]
pub struct InvalidMessage {
    pub field: &'static str,
    pub found: String,
}

impl InvalidMessage {
    pub(crate) fn new(field: &'static str, found: impl std::fmt::Debug) -> Self {
        Self {
            field,
            found: format!("{found:?}"),
        }
    }
}

impl proto::Event {
    /// The event of the domain; `boot_id` is that of its request.
    ///
    /// # Errors
    /// [`InvalidMessage`] names the field that cannot be.
    pub fn into_event(self, boot_id: Option<Uuid>) -> Result<Event, InvalidMessage> {
        Ok(Event {
            event_id: uuid("event_id", &self.event_id)?,
            event_type: event_type(self.r#type)?,
            event_time: time_from_micros("time_us", self.time_us)?,
            seq: self.seq,
            boot_id,
            sessions: self
                .sessions
                .into_iter()
                .map(SessionFacts::try_from)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl proto::AgentRequest {
    /// The boot that the request's events belong to.
    pub fn boot(&self) -> Result<Option<Uuid>, InvalidMessage> {
        self.boot_id.as_deref().map(|bytes| uuid("boot_id", bytes)).transpose()
    }

    /// Ingest's clock when the request arrived.
    pub fn received_at(&self) -> Result<OffsetDateTime, InvalidMessage> {
        time_from_micros("received_at_us", self.received_at_us)
    }

    /// The agent's clock when it sent the request.
    pub fn sent_at(&self) -> Result<Option<OffsetDateTime>, InvalidMessage> {
        self.sent_at_us
            .map(|micros| time_from_micros("sent_at_us", micros))
            .transpose()
    }
}

/// Microseconds since the Unix epoch.
pub fn micros_from_time(time: OffsetDateTime) -> i64 {
    time.unix_timestamp() * 1_000_000 + i64::from(time.microsecond())
}

/// # Errors
/// [`InvalidMessage`] when the time is outside the calendar.
pub fn time_from_micros(field: &'static str, micros: i64) -> Result<OffsetDateTime, InvalidMessage> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .map_err(|_| InvalidMessage::new(field, micros))
}

impl From<&Event> for proto::Event {
    fn from(event: &Event) -> Self {
        event.clone().into()
    }
}

impl From<Event> for proto::Event {
    fn from(event: Event) -> Self {
        Self {
            event_id: event.event_id.as_bytes().to_vec(),
            r#type: proto::EventType::from(event.event_type).into(),
            time_us: micros_from_time(event.event_time),
            seq: event.seq,
            sessions: event.sessions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<SessionFacts> for proto::SessionFacts {
    fn from(facts: SessionFacts) -> Self {
        Self {
            session_id: facts.session_id.map(|id| id.as_bytes().to_vec()),
            common_name: facts.common_name,
            real_ip: facts.real_ip.map(octets),
            real_port: facts.real_port.map(u32::from),
            virtual_ip: facts.virtual_ip.map(octets),
            virtual_ip6: facts.virtual_ip6.map(octets),
            bytes_in: facts.bytes_in,
            bytes_out: facts.bytes_out,
            bytes_source: proto_bytes_source(facts.bytes_source).into(),
            disconnect_reason: facts.disconnect_reason,
            username: facts.username,
            cid: facts.cid,
            client_platform: facts.client.platform,
            client_version: facts.client.version,
            client_gui: facts.client.gui,
            cipher: facts.cipher,
            duration_seconds: facts.duration_seconds,
            connected_at_us: facts.connected_at.map(micros_from_time),
        }
    }
}

impl TryFrom<proto::SessionFacts> for SessionFacts {
    type Error = InvalidMessage;

    fn try_from(facts: proto::SessionFacts) -> Result<Self, InvalidMessage> {
        Ok(Self {
            session_id: facts.session_id.map(|id| uuid("session_id", &id)).transpose()?,
            common_name: facts.common_name,
            real_ip: address("real_ip", facts.real_ip)?,
            real_port: facts.real_port.map(port).transpose()?,
            virtual_ip: address("virtual_ip", facts.virtual_ip)?,
            virtual_ip6: address("virtual_ip6", facts.virtual_ip6)?,
            bytes_in: facts.bytes_in,
            bytes_out: facts.bytes_out,
            bytes_source: bytes_source(facts.bytes_source)?,
            disconnect_reason: facts.disconnect_reason,
            username: facts.username,
            cid: facts.cid,
            client: Client {
                platform: facts.client_platform,
                version: facts.client_version,
                gui: facts.client_gui,
            },
            cipher: facts.cipher,
            duration_seconds: facts.duration_seconds,
            connected_at: facts
                .connected_at_us
                .map(|at| time_from_micros("connected_at_us", at))
                .transpose()?,
        })
    }
}

impl From<EventType> for proto::EventType {
    fn from(kind: EventType) -> Self {
        match kind {
            EventType::SessionConnected => Self::SessionConnected,
            EventType::SessionUpdated => Self::SessionUpdated,
            EventType::SessionDisconnected => Self::SessionDisconnected,
            EventType::ServerStarted => Self::ServerStarted,
            EventType::ServerStopped => Self::ServerStopped,
            EventType::SessionSnapshot => Self::SessionSnapshot,
        }
    }
}

fn event_type(number: i32) -> Result<EventType, InvalidMessage> {
    match proto::EventType::try_from(number) {
        Ok(proto::EventType::SessionConnected) => Ok(EventType::SessionConnected),
        Ok(proto::EventType::SessionUpdated) => Ok(EventType::SessionUpdated),
        Ok(proto::EventType::SessionDisconnected) => Ok(EventType::SessionDisconnected),
        Ok(proto::EventType::ServerStarted) => Ok(EventType::ServerStarted),
        Ok(proto::EventType::ServerStopped) => Ok(EventType::ServerStopped),
        Ok(proto::EventType::SessionSnapshot) => Ok(EventType::SessionSnapshot),
        Ok(proto::EventType::Unspecified) | Err(_) => Err(InvalidMessage::new("type", number)),
    }
}

fn proto_bytes_source(source: Option<BytesSource>) -> proto::BytesSource {
    match source {
        None => proto::BytesSource::Unspecified,
        Some(BytesSource::Final) => proto::BytesSource::Final,
        Some(BytesSource::LastPoll) => proto::BytesSource::LastPoll,
        Some(BytesSource::Missing) => proto::BytesSource::Missing,
    }
}

fn bytes_source(number: i32) -> Result<Option<BytesSource>, InvalidMessage> {
    match proto::BytesSource::try_from(number) {
        Ok(proto::BytesSource::Unspecified) => Ok(None),
        Ok(proto::BytesSource::Final) => Ok(Some(BytesSource::Final)),
        Ok(proto::BytesSource::LastPoll) => Ok(Some(BytesSource::LastPoll)),
        Ok(proto::BytesSource::Missing) => Ok(Some(BytesSource::Missing)),
        Err(_) => Err(InvalidMessage::new("bytes_source", number)),
    }
}

pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

pub(crate) fn address(field: &'static str, octets: Option<Vec<u8>>) -> Result<Option<IpAddr>, InvalidMessage> {
    let Some(octets) = octets else { return Ok(None) };
    if let Ok(octets) = <[u8; 4]>::try_from(octets.as_slice()) {
        return Ok(Some(octets.into()));
    }
    match <[u8; 16]>::try_from(octets.as_slice()) {
        Ok(octets) => Ok(Some(octets.into())),
        Err(_) => Err(InvalidMessage::new(field, octets)),
    }
}

fn uuid(field: &'static str, bytes: &[u8]) -> Result<Uuid, InvalidMessage> {
    Uuid::from_slice(bytes).map_err(|_| InvalidMessage::new(field, bytes))
}

fn port(number: u32) -> Result<u16, InvalidMessage> {
    u16::try_from(number).map_err(|_| InvalidMessage::new("real_port", number))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn facts() -> SessionFacts {
        SessionFacts {
            session_id: Some(Uuid::from_u128(1)),
            common_name: "jdoe".to_owned(),
            real_ip: Some("203.0.113.5".parse().unwrap()),
            real_port: Some(1194),
            virtual_ip: Some("10.8.0.2".parse().unwrap()),
            virtual_ip6: Some("fd00::2".parse().unwrap()),
            bytes_in: Some(0),
            bytes_out: Some(9),
            bytes_source: Some(BytesSource::Final),
            disconnect_reason: Some("client".to_owned()),
            username: Some("j".to_owned()),
            cid: Some(0),
            client: Client {
                platform: Some("linux".to_owned()),
                version: None,
                gui: Some("x".to_owned()),
            },
            cipher: Some("AES-256-GCM".to_owned()),
            duration_seconds: Some(60),
            connected_at: Some(datetime!(1969-12-31 23:59:59.999999 UTC)),
        }
    }

    fn event(event_type: EventType, sessions: Vec<SessionFacts>) -> Event {
        Event {
            event_id: Uuid::from_u128(2),
            event_type,
            event_time: datetime!(2026-02-13 12:00:00.123456 UTC),
            seq: Some(0),
            boot_id: Some(Uuid::from_u128(3)),
            sessions,
        }
    }

    #[test]
    fn an_event_survives_the_bus() {
        for event_type in EventType::ALL {
            let bare = SessionFacts {
                common_name: "a".to_owned(),
                ..SessionFacts::default()
            };
            let event = event(event_type, vec![facts(), bare]);
            assert_eq!(proto::Event::from(&event).into_event(event.boot_id), Ok(event));
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let good = proto::Event::from(event(EventType::SessionConnected, vec![facts()]));
        let field = |change: fn(&mut proto::Event)| {
            let mut bad = good.clone();
            change(&mut bad);
            bad.into_event(None).unwrap_err().field
        };
        assert_eq!(field(|event| event.event_id.truncate(3)), "event_id");
        assert_eq!(field(|event| event.r#type = 99), "type");
        assert_eq!(field(|event| event.time_us = i64::MAX), "time_us");
        assert_eq!(field(|event| event.sessions[0].real_ip = Some(vec![1])), "real_ip");
        assert_eq!(field(|event| event.sessions[0].real_port = Some(70_000)), "real_port");
        assert_eq!(field(|event| event.sessions[0].bytes_source = 99), "bytes_source");
    }
}
