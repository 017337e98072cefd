//! Words to tell a server's history with.

use domain::event::{Event, EventType, SessionFacts};
use domain::session::{End, EndedBy, Session};
use domain::timeline::{ServerTimeline, Timeline, timeline};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// An instant of the one day on which all stories play.
pub(crate) fn at(clock: &str) -> OffsetDateTime {
    OffsetDateTime::parse(&format!("2026-11-21T{clock}Z"), &Rfc3339).unwrap()
}

/// What happened on one server, told in any order.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
    pub(crate) duplicate_cn: bool,
    boot_id: Option<Uuid>,
}

impl Story {
    pub(crate) fn with_duplicate_cn() -> Self {
        Self {
            duplicate_cn: true,
            ..Self::default()
        }
    }

    pub(crate) fn boot(&mut self, boot: u128) -> &mut Self {
        self.boot_id = Some(Uuid::from_u128(boot));
        self
    }

    pub(crate) fn server(&mut self, event_type: EventType, clock: &str) -> Uuid {
        self.tell(event_type, clock, Vec::new())
    }

    pub(crate) fn connects(&mut self, name: &str, virtual_ip: &str, clock: &str) -> Uuid {
        self.tell(EventType::SessionConnected, clock, vec![facts(name, virtual_ip)])
    }

    pub(crate) fn disconnects(&mut self, name: &str, virtual_ip: &str, clock: &str) -> Uuid {
        self.tell(EventType::SessionDisconnected, clock, vec![facts(name, virtual_ip)])
    }

    pub(crate) fn disconnects_session(&mut self, name: &str, session_id: Uuid, clock: &str) -> Uuid {
        let facts = SessionFacts {
            session_id: Some(session_id),
            ..facts(name, "")
        };
        self.tell(EventType::SessionDisconnected, clock, vec![facts])
    }

    pub(crate) fn counts(&mut self, name: &str, bytes_in: u64, bytes_out: u64, clock: &str) -> Uuid {
        let facts = SessionFacts {
            bytes_in: Some(bytes_in),
            bytes_out: Some(bytes_out),
            ..facts(name, "")
        };
        self.tell(EventType::SessionUpdated, clock, vec![facts])
    }

    pub(crate) fn lists(&mut self, entries: Vec<SessionFacts>, clock: &str) -> Uuid {
        self.tell(EventType::SessionSnapshot, clock, entries)
    }

    pub(crate) fn tell(&mut self, event_type: EventType, clock: &str, sessions: Vec<SessionFacts>) -> Uuid {
        let event_id = Uuid::from_u128(1000 + self.events.len() as u128);
        let (event_time, boot_id) = (at(clock), self.boot_id);
        self.events.push(Event {
            event_id,
            event_type,
            event_time,
            seq: None,
            boot_id,
            sessions,
        });
        event_id
    }

    pub(crate) fn timeline(&self) -> Timeline {
        timeline(
            ServerTimeline {
                server_name: "vpn-1",
                duplicate_cn: self.duplicate_cn,
            },
            &self.events,
        )
    }

    pub(crate) fn session(&self, id: Uuid) -> Session {
        self.timeline()
            .sessions
            .into_values()
            .flatten()
            .find(|session| session.id == id)
            .unwrap()
    }

    pub(crate) fn end(&self, id: Uuid) -> Option<End> {
        self.session(id).end
    }
}

pub(crate) fn facts(name: &str, virtual_ip: &str) -> SessionFacts {
    SessionFacts {
        common_name: name.to_owned(),
        virtual_ip: (!virtual_ip.is_empty()).then(|| virtual_ip.parse().unwrap()),
        ..SessionFacts::default()
    }
}

pub(crate) fn reported(clock: &str) -> Option<End> {
    Some(End {
        ended_by: EndedBy::Reported,
        disconnected_at: at(clock),
        not_after: at(clock),
    })
}

/// An end that nobody reported: between the last proof of life and the first disproof.
pub(crate) fn inferred(ended_by: EndedBy, last_proof: &str, first_disproof: &str) -> Option<End> {
    Some(End {
        ended_by,
        disconnected_at: at(last_proof),
        not_after: at(first_disproof),
    })
}

pub(crate) const MINUTE: Duration = Duration::MINUTE;
