//! Random histories of one VPN server, for tests of the timeline and of everything that must agree with it.

use std::net::{IpAddr, Ipv4Addr};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::event::{BytesSource, Event, EventType, SessionFacts};
use crate::session::TERMINATED;

const NAMES: [&str; 4] = ["alice", "bob", "carol@example.com", "Jürgen Müller"];

/// How a history is drawn. The same seed gives the same history.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub seed: u64,
    pub events: usize,
    /// Share of events that concern the whole server (starts, stops, snapshots), in percent.
    pub shared_percent: u32,
    pub boots: u128,
}

impl Shape {
    pub fn new(seed: u64, events: usize) -> Self {
        Self {
            seed,
            events,
            shared_percent: 15,
            boots: u128::from(seed % 3),
        }
    }
}

/// Draws a history: few users and addresses, short times and many ties, so that everything collides.
pub fn draw(shape: Shape) -> Vec<Event> {
    let mut draw = Draw {
        rng: StdRng::seed_from_u64(shape.seed),
        connects: Vec::new(),
        seq: 0,
    };
    let mut events: Vec<Event> = (0..shape.events).map(|_| draw.event(shape)).collect();
    events.shuffle(&mut draw.rng);
    events
}

struct Draw {
    rng: StdRng,
    connects: Vec<Event>,
    seq: u64,
}

impl Draw {
    fn event(&mut self, shape: Shape) -> Event {
        let event_type = self.event_type(shape.shared_percent);
        self.seq += 1;
        let mut event = Event {
            event_id: Uuid::from_u128(self.rng.random()),
            event_type,
            event_time: self.time(),
            seq: self.rng.random_bool(0.8).then_some(self.seq),
            boot_id: (shape.boots > 0).then(|| Uuid::from_u128(1 + self.rng.random_range(0..shape.boots))),
            sessions: Vec::new(),
        };
        event.sessions = match event_type {
            EventType::ServerStarted | EventType::ServerStopped => Vec::new(),
            EventType::SessionSnapshot => (0..self.rng.random_range(0..4))
                .map(|_| self.entry(event.event_time))
                .collect(),
            EventType::SessionConnected => vec![SessionFacts {
                session_id: None,
                ..self.facts()
            }],
            EventType::SessionUpdated | EventType::SessionDisconnected => vec![self.reference()],
        };
        if event_type == EventType::SessionConnected {
            self.connects.push(event.clone());
        }
        event
    }

    fn event_type(&mut self, shared_percent: u32) -> EventType {
        use EventType::{
            ServerStarted, ServerStopped, SessionConnected, SessionDisconnected, SessionSnapshot, SessionUpdated,
        };
        let shared = [SessionSnapshot, SessionSnapshot, ServerStarted, ServerStopped];
        let own = [SessionConnected, SessionConnected, SessionUpdated, SessionDisconnected];
        let kinds = if self.rng.random_range(0..100) < shared_percent {
            shared
        } else {
            own
        };
        *kinds.choose(&mut self.rng).unwrap_or(&SessionConnected)
    }

    /// Within twenty minutes, by the second: around the grace in which a disproof may be overtaken.
    fn time(&mut self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_790_000_000 + self.rng.random_range(0..1200))
    }

    fn address(&mut self) -> Option<IpAddr> {
        let last = self.rng.random_range(2..6);
        self.rng
            .random_bool(0.85)
            .then_some(IpAddr::V4(Ipv4Addr::new(10, 8, 0, last)))
    }

    fn facts(&mut self) -> SessionFacts {
        SessionFacts {
            common_name: (*NAMES.choose(&mut self.rng).unwrap_or(&"alice")).to_owned(),
            real_ip: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, self.rng.random_range(1..5)))),
            real_port: self.rng.random_bool(0.8).then(|| self.rng.random_range(1024..u16::MAX)),
            virtual_ip: self.address(),
            bytes_in: self.rng.random_bool(0.7).then(|| self.rng.random_range(0..1000)),
            bytes_out: self.rng.random_bool(0.7).then(|| self.rng.random_range(0..1000)),
            ..SessionFacts::default()
        }
    }

    /// What an update or disconnect says: by the session's id, by address, or by name alone.
    fn reference(&mut self) -> SessionFacts {
        let mut facts = self.facts();
        if let Some(connect) = self.connects.choose(&mut self.rng) {
            let known = &connect.sessions[0];
            facts.common_name.clone_from(&known.common_name);
            match self.rng.random_range(0..3) {
                0 => facts.session_id = Some(connect.event_id),
                1 => facts.virtual_ip = known.virtual_ip,
                _ => facts.virtual_ip = None,
            }
        }
        facts.disconnect_reason = self.rng.random_bool(0.2).then(|| TERMINATED.to_owned());
        facts.bytes_source = [
            None,
            Some(BytesSource::LastPoll),
            Some(BytesSource::Final),
            Some(BytesSource::Missing),
        ][self.rng.random_range(0..4)];
        facts
    }

    /// A line of a snapshot. No daemon lists a session before it connects.
    fn entry(&mut self, at: OffsetDateTime) -> SessionFacts {
        let mut facts = self.facts();
        let before: Vec<&Event> = self
            .connects
            .iter()
            .filter(|connect| connect.event_time <= at)
            .collect();
        if let Some(connect) = before.choose(&mut self.rng) {
            let (id, since) = (connect.event_id, connect.event_time);
            facts.common_name.clone_from(&connect.sessions[0].common_name);
            facts.virtual_ip = connect.sessions[0].virtual_ip;
            match self.rng.random_range(0..3) {
                0 => facts.session_id = Some(id),
                1 => facts.connected_at = Some(since),
                _ => {}
            }
        } else if self.rng.random_bool(0.5) {
            facts.connected_at = Some(at - Duration::seconds(self.rng.random_range(0..300)));
        }
        facts
    }
}
