//! Events: the facts that agents report, after validation.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// What kind of fact an event is. The wire names are the agent API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    // In the order in which events of the same instant and sequence number take effect.
    ServerStarted,
    SessionConnected,
    SessionUpdated,
    SessionSnapshot,
    SessionDisconnected,
    ServerStopped,
}

impl EventType {
    pub const ALL: [Self; 6] = [
        Self::ServerStarted,
        Self::SessionConnected,
        Self::SessionUpdated,
        Self::SessionSnapshot,
        Self::SessionDisconnected,
        Self::ServerStopped,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServerStarted => "SERVER_STARTED",
            Self::SessionConnected => "SESSION_CONNECTED",
            Self::SessionUpdated => "SESSION_UPDATED",
            Self::SessionSnapshot => "SESSION_SNAPSHOT",
            Self::SessionDisconnected => "SESSION_DISCONNECTED",
            Self::ServerStopped => "SERVER_STOPPED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How a byte count is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BytesSource {
    /// The daemon's own total at the end of the session.
    Final,
    /// The last poll before the session ended.
    LastPoll,
    /// The agent says that there is no count.
    Missing,
}

impl BytesSource {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::LastPoll => "last_poll",
            Self::Missing => "missing",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Final, Self::LastPoll, Self::Missing]
            .into_iter()
            .find(|source| source.as_str() == name)
    }
}

/// The client program, as it announced itself to the daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gui: Option<String>,
}

impl Client {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What an event says of one session. Unknown is `None`, never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionFacts {
    /// The `event_id` of the session's connect event, where the agent knows it.
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
    /// Bytes the VPN server received from the client so far; at most `i64::MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_in: Option<u64>,
    /// Bytes the VPN server sent to the client so far; at most `i64::MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_source: Option<BytesSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnect_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The daemon's client id; starts again at 0 with each restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<u64>,
    #[serde(skip_serializing_if = "Client::is_empty")]
    pub client: Client,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The daemon's own figure for how long the session lasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// Snapshot entries only: when the daemon says that the session connected.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub connected_at: Option<OffsetDateTime>,
}

/// One validated fact from an agent. Times are UTC with microsecond precision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub event_id: Uuid,
    pub event_type: EventType,
    /// The VPN server's own clock.
    pub event_time: OffsetDateTime,
    /// The number of the event within its boot.
    pub seq: Option<u64>,
    pub boot_id: Option<Uuid>,
    /// One entry for session events, none for server events, any number for snapshots.
    pub sessions: Vec<SessionFacts>,
}

impl Event {
    /// The common name of a session event; `None` for snapshots and server events.
    pub fn common_name(&self) -> Option<&str> {
        match self.event_type {
            EventType::SessionConnected | EventType::SessionUpdated | EventType::SessionDisconnected => {
                self.sessions.first().map(|facts| facts.common_name.as_str())
            }
            _ => None,
        }
    }
}
