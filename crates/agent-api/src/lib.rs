//! The JSON of `/api/v1`, as an agent writes and reads it: for the agent itself and for the simulator.

mod commands;
mod inventory;

use std::net::IpAddr;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use uuid::Uuid;

pub use commands::{Command, CommandResult, CommandState, Commands, Denial, TERMINATE};
pub use inventory::{Ccd, Certificate, Inventory, InventoryBody, Route, RouteType};

/// The `disconnect_reason` of a session that the agent ended itself, because the product had asked for it.
pub const TERMINATED: &str = "terminated";

/// What kind of fact an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    ServerStarted,
    SessionConnected,
    SessionUpdated,
    SessionSnapshot,
    SessionDisconnected,
    ServerStopped,
}

/// One event of a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub event_id: Uuid,
    /// The number of the event within its boot, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// The VPN server's own clock.
    #[serde(serialize_with = "rfc3339")]
    pub event_time_vpn: OffsetDateTime,
    /// Connect, update and disconnect: the session.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Snapshot: the full list of sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<Session>>,
}

impl Event {
    /// An event about the VPN server itself.
    pub fn about_server(event_id: Uuid, event_type: EventType, at: OffsetDateTime) -> Self {
        Self {
            event_id,
            seq: None,
            event_type,
            event_time_vpn: at,
            session: None,
            sessions: None,
        }
    }

    /// A connect, update or disconnect.
    pub fn about_session(event_id: Uuid, event_type: EventType, at: OffsetDateTime, session: Session) -> Self {
        Self {
            session: Some(session),
            ..Self::about_server(event_id, event_type, at)
        }
    }

    /// The full list of sessions that the daemon has at that instant.
    pub fn snapshot(event_id: Uuid, at: OffsetDateTime, sessions: Vec<Session>) -> Self {
        Self {
            sessions: Some(sessions),
            ..Self::about_server(event_id, EventType::SessionSnapshot, at)
        }
    }
}

/// What an event says of one session. Unknown is left out, never zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Session {
    /// The `event_id` of the session's connect event; left out of the connect itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
    pub common_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_ip6: Option<IpAddr>,
    /// Bytes that the VPN server received from the client so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_in: Option<u64>,
    /// Bytes that the VPN server sent to the client so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_source: Option<BytesSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnect_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// Snapshot entries: when the daemon says that the session connected.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_rfc3339")]
    pub connected_at: Option<OffsetDateTime>,
}

/// How a byte count is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BytesSource {
    /// The daemon's own total at the end of the session.
    Final,
    /// The last poll before the session ended.
    LastPoll,
    /// There is no count.
    Missing,
}

/// The client program, as it announced itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Client {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gui: Option<String>,
}

impl From<openvpn::ClientSoftware> for Client {
    fn from(software: openvpn::ClientSoftware) -> Self {
        Self {
            platform: software.platform,
            version: software.version,
            gui: software.gui,
        }
    }
}

/// Body of `POST /api/v1/events`.
#[derive(Debug, Serialize)]
pub struct Batch<'a> {
    pub server_id: &'a str,
    #[serde(serialize_with = "rfc3339")]
    pub sent_at: OffsetDateTime,
    pub boot_id: Uuid,
    pub events: &'a [Event],
}

/// Body of `POST /api/v1/heartbeat`, apart from who sends it and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heartbeat {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_1m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openvpn_version: Option<String>,
    /// Of the daemon, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_count: Option<u64>,
    /// The kernel moves the data (data channel offload).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dco: Option<bool>,
    pub agent_version: &'static str,
    /// Events that wait to be sent.
    pub spool_depth: u64,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_rfc3339")]
    pub oldest_unsent_at: Option<OffsetDateTime>,
}

/// RFC 3339, UTC, milliseconds.
pub fn format_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// For `#[serde(serialize_with)]`: RFC 3339, UTC, milliseconds.
///
/// # Errors
/// Those of the serializer.
pub fn rfc3339<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_time(*at))
}

pub(crate) fn optional_rfc3339<S: Serializer>(at: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => rfc3339(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_event_reads_as_the_agent_api_describes_it() {
        let session = Session {
            common_name: "jdoe@company.com".into(),
            real_ip: Some([203, 0, 113, 5].into()),
            real_port: Some(1194),
            ..Session::default()
        };
        let at = datetime!(2026-02-13 12:00:00.5 UTC);
        let mut event = Event::about_session(Uuid::from_u128(1), EventType::SessionConnected, at, session);
        event.seq = Some(1);
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event_id":"00000000-0000-0000-0000-000000000001","seq":1,"type":"SESSION_CONNECTED","event_time_vpn":"2026-02-13T12:00:00.500Z","common_name":"jdoe@company.com","real_ip":"203.0.113.5","real_port":1194}"#
        );
    }

    #[test]
    fn an_event_of_the_server_names_no_session() {
        let event = Event::about_server(
            Uuid::from_u128(1),
            EventType::ServerStarted,
            datetime!(2026-02-13 12:00 UTC),
        );
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event_id":"00000000-0000-0000-0000-000000000001","type":"SERVER_STARTED","event_time_vpn":"2026-02-13T12:00:00.000Z"}"#
        );
    }
}
