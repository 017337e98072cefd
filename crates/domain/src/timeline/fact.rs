use std::net::IpAddr;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::event::{Event, EventType, SessionFacts};

/// Another VPN user's connect, as far as it matters to a track: from here on that user holds these addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takeover {
    pub at: OffsetDateTime,
    /// The connect's `event_id`.
    pub session_id: Uuid,
    pub virtual_ip: Option<IpAddr>,
    pub virtual_ip6: Option<IpAddr>,
}

impl Takeover {
    /// The takeover that a connect event means to every other user of its server; `None` when it names no address.
    pub fn of(event: &Event) -> Option<Self> {
        let facts = event
            .sessions
            .first()
            .filter(|_| event.event_type == EventType::SessionConnected)?;
        (facts.virtual_ip.is_some() || facts.virtual_ip6.is_some()).then_some(Self {
            at: event.event_time,
            session_id: event.event_id,
            virtual_ip: facts.virtual_ip,
            virtual_ip6: facts.virtual_ip6,
        })
    }
}

/// One thing that a track must take into account.
#[derive(Debug, Clone)]
pub enum Fact<'a> {
    /// A boot began (its earliest event): every older session is over.
    Boot {
        at: OffsetDateTime,
        boot_id: Uuid,
    },
    /// The daemon started or stopped.
    Restart(&'a Event),
    Takeover(Takeover),
    /// The full list of the server's sessions; `entries` are those of this track.
    Snapshot {
        event: &'a Event,
        entries: Vec<&'a SessionFacts>,
    },
    /// A connect, update or disconnect of this track.
    Session {
        event: &'a Event,
        facts: &'a SessionFacts,
    },
}

/// The order in which facts take effect: by the server's clock, then by the agent's numbering, then by kind and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactKey {
    at: OffsetDateTime,
    phase: Phase,
    seq: u64,
    event_type: EventType,
    id: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// A boot precedes its own first event.
    Boot,
    Event,
    /// Connects of other users have no number to compare with, so they come last within an instant.
    Takeover,
}

impl Fact<'_> {
    pub fn key(&self) -> FactKey {
        match self {
            Self::Boot { at, boot_id } => FactKey {
                at: *at,
                phase: Phase::Boot,
                seq: 0,
                event_type: EventType::ServerStarted,
                id: *boot_id,
            },
            Self::Takeover(takeover) => FactKey {
                at: takeover.at,
                phase: Phase::Takeover,
                seq: 0,
                event_type: EventType::SessionConnected,
                id: takeover.session_id,
            },
            Self::Restart(event) | Self::Snapshot { event, .. } | Self::Session { event, .. } => FactKey {
                at: event.event_time,
                phase: Phase::Event,
                seq: event.seq.unwrap_or(0),
                event_type: event.event_type,
                id: event.event_id,
            },
        }
    }

    pub fn at(&self) -> OffsetDateTime {
        self.key().at
    }
}
