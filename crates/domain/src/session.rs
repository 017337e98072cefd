//! A session: one connection of one VPN user to one VPN server, as the timeline derives it from events.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::event::{BytesSource, Client, SessionFacts};

/// Whether a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    Active,
    Disconnected,
    /// Nothing speaks against its life but the lack of proof of it; it comes back when proof arrives.
    Timeout,
}

impl SessionStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disconnected => "disconnected",
            Self::Timeout => "timeout",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Disconnected, Self::Timeout]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// What made it known that a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// A disconnect event.
    Reported,
    /// Another connect took its virtual address, or its common name where that may connect only once.
    Superseded,
    /// The daemon started, stopped, or began a new boot.
    ServerRestart,
    /// A snapshot did not list it.
    Reconciled,
    /// Lack of proof of life.
    Timeout,
    /// A termination that the daemon carried out.
    Terminated,
}

impl EndedBy {
    const ALL: [Self; 6] = [
        Self::Reported,
        Self::Superseded,
        Self::ServerRestart,
        Self::Reconciled,
        Self::Timeout,
        Self::Terminated,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Superseded => "superseded",
            Self::ServerRestart => "server_restart",
            Self::Reconciled => "reconciled",
            Self::Timeout => "timeout",
            Self::Terminated => "terminated",
        }
    }

    /// Whether a disconnect event told it: nothing refutes that.
    pub fn is_reported(self) -> bool {
        matches!(self, Self::Reported | Self::Terminated)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ended_by| ended_by.as_str() == name)
    }
}

/// The `disconnect_reason` by which an agent says that it ended the session itself, because the product had asked for it.
pub const TERMINATED: &str = "terminated";

/// How and when a session ended. A lack of proof of life is no end: see [`SessionStatus::Timeout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub ended_by: EndedBy,
    /// The reported time, or the last proof of life.
    pub disconnected_at: OffsetDateTime,
    /// The first disproof of life; the reported time where there is one.
    pub not_after: OffsetDateTime,
}

/// A byte count that never goes down: the counter as it stands, on top of what it had counted before each reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteCount {
    /// Sum of the segments that a reset has closed.
    pub base: u64,
    /// The running segment; `None` while nothing was ever counted.
    pub current: Option<u64>,
}

impl ByteCount {
    /// Bytes in all, unknown while nothing was ever counted.
    pub fn total(self) -> Option<u64> {
        self.current.map(|current| self.base.saturating_add(current))
    }

    /// Rebuilds the count from its stored total and base.
    pub fn from_total(total: Option<u64>, base: u64) -> Self {
        Self {
            base,
            current: total.map(|total| total.saturating_sub(base)),
        }
    }

    /// Takes a later reading of the counter; a lower one opens a new segment.
    pub fn read(&mut self, reading: u64) {
        if let Some(current) = self.current.filter(|current| reading < *current) {
            self.base = self.base.saturating_add(current).min(i64::MAX as u64);
        }
        // The sum is stored as a signed 64-bit number.
        self.current = Some(reading.min(i64::MAX as u64 - self.base));
    }
}

/// One session. Times are the VPN server's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The `event_id` of its connect event; for a session known only by a snapshot, what the snapshot calls it.
    pub id: Uuid,
    pub connected_at: OffsetDateTime,
    /// The last proof of life.
    pub last_seen_at: OffsetDateTime,
    pub end: Option<End>,
    pub disconnect_reason: Option<String>,
    /// No connect event was received; a snapshot listed it.
    pub opened_by_snapshot: bool,
    /// The earliest event that named this session although it is stamped before the connect: clocks step back.
    pub early_event_at: Option<OffsetDateTime>,
    pub real_ip: Option<IpAddr>,
    pub real_port: Option<u16>,
    pub virtual_ip: Option<IpAddr>,
    pub virtual_ip6: Option<IpAddr>,
    pub bytes_in: ByteCount,
    pub bytes_out: ByteCount,
    pub bytes_source: Option<BytesSource>,
    /// The daemon's own figure.
    pub duration_seconds: Option<u64>,
    pub username: Option<String>,
    pub cid: Option<u64>,
    pub client: Client,
    pub cipher: Option<String>,
}

impl Session {
    /// A session that has just connected.
    pub fn open(id: Uuid, connected_at: OffsetDateTime, facts: &SessionFacts) -> Self {
        let mut session = Self {
            id,
            connected_at,
            last_seen_at: connected_at,
            end: None,
            disconnect_reason: None,
            opened_by_snapshot: false,
            early_event_at: None,
            real_ip: None,
            real_port: None,
            virtual_ip: None,
            virtual_ip6: None,
            bytes_in: ByteCount::default(),
            bytes_out: ByteCount::default(),
            bytes_source: None,
            duration_seconds: None,
            username: None,
            cid: None,
            client: Client::default(),
            cipher: None,
        };
        session.learn(facts);
        session.count(facts, BytesSource::LastPoll);
        session
    }

    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether the end, if any, is a conclusion of ours rather than the server's report.
    pub fn end_is_inferred(&self) -> bool {
        self.end.is_some_and(|end| !end.ended_by.is_reported())
    }

    /// Takes what a later event says: the real address is the current one, everything else stays once known.
    pub(crate) fn learn(&mut self, facts: &SessionFacts) {
        if facts.real_ip.is_some() {
            self.real_ip = facts.real_ip;
            self.real_port = facts.real_port;
        } else if facts.real_port.is_some() {
            self.real_port = facts.real_port;
        }
        fill(&mut self.virtual_ip, facts.virtual_ip.as_ref());
        fill(&mut self.virtual_ip6, facts.virtual_ip6.as_ref());
        fill(&mut self.username, facts.username.as_ref());
        fill(&mut self.cid, facts.cid.as_ref());
        fill(&mut self.client.platform, facts.client.platform.as_ref());
        fill(&mut self.client.version, facts.client.version.as_ref());
        fill(&mut self.client.gui, facts.client.gui.as_ref());
        fill(&mut self.cipher, facts.cipher.as_ref());
    }

    /// Takes a reading of the counters; `assumed` is how it is known when the agent does not say.
    pub(crate) fn count(&mut self, facts: &SessionFacts, assumed: BytesSource) {
        if facts.bytes_source == Some(BytesSource::Missing) {
            fill(&mut self.bytes_source, Some(&BytesSource::Missing));
            return;
        }
        for (count, reading) in [
            (&mut self.bytes_in, facts.bytes_in),
            (&mut self.bytes_out, facts.bytes_out),
        ] {
            if let Some(reading) = reading {
                count.read(reading);
            }
        }
        if facts.bytes_in.is_some() || facts.bytes_out.is_some() {
            self.bytes_source = Some(facts.bytes_source.unwrap_or(assumed));
        }
    }
}

fn fill<T: Clone>(known: &mut Option<T>, heard: Option<&T>) {
    if known.is_none() {
        *known = heard.cloned();
    }
}
