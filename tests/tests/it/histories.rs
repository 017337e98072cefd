//! Random histories of VPN servers: as agents send them, and as the portal must show them in the end.

use std::collections::BTreeMap;

use domain::event::{Event, EventType};
use domain::history::{Shape, draw};
use domain::session::{Session, SessionStatus};
use domain::time_format::format_millis;
use domain::timeline::{ServerTimeline, Timeline, timeline};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) struct History {
    pub(crate) server: String,
    pub(crate) duplicate_cn: bool,
    pub(crate) events: Vec<Event>,
    rng: StdRng,
}

impl History {
    /// The same seed gives the same events in the same batches.
    pub(crate) fn draw(seed: u64, events: usize) -> Self {
        Self {
            server: format!("vpn-{seed}"),
            duplicate_cn: seed.is_multiple_of(2),
            events: draw(Shape::new(seed, events)),
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// The list `events` of each request, with its boot: in any order, in batches of any size, a third of the events twice.
    pub(crate) fn batches(&mut self) -> Vec<(Option<Uuid>, Vec<Value>)> {
        let again: Vec<Event> = self
            .events
            .sample(&mut self.rng, self.events.len() / 3)
            .cloned()
            .collect();
        let mut copies: Vec<Event> = self.events.iter().cloned().chain(again).collect();
        copies.shuffle(&mut self.rng);
        let mut batches = Vec::new();
        for (boot_id, events) in by_boot(&copies) {
            let mut rest = events.as_slice();
            while !rest.is_empty() {
                let (batch, behind) = rest.split_at(self.rng.random_range(1..=6).min(rest.len()));
                batches.push((boot_id, batch.to_vec()));
                rest = behind;
            }
        }
        batches.shuffle(&mut self.rng);
        batches
    }

    /// All events once, one request for each boot.
    pub(crate) fn once(&self) -> Vec<(Option<Uuid>, Vec<Value>)> {
        by_boot(&self.events).into_iter().collect()
    }

    pub(crate) fn timeline(&self) -> Timeline {
        let server = ServerTimeline {
            server_name: &self.server,
            duplicate_cn: self.duplicate_cn,
        };
        timeline(server, &self.events)
    }
}

fn by_boot(events: &[Event]) -> BTreeMap<Option<Uuid>, Vec<Value>> {
    let mut boots: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    for event in events {
        boots.entry(event.boot_id).or_default().push(wire(event));
    }
    boots
}

/// An event as an agent writes it.
fn wire(event: &Event) -> Value {
    let mut json = match event.event_type {
        EventType::SessionSnapshot => json!({"sessions": event.sessions}),
        _ => event.sessions.first().map_or(json!({}), |facts| json!(facts)),
    };
    json["event_id"] = json!(event.event_id);
    json["type"] = json!(event.event_type);
    json["event_time_vpn"] = json!(format_millis(event.event_time));
    if let Some(seq) = event.seq {
        json["seq"] = json!(seq);
    }
    json
}

/// A session in the fields of `GET /api/sessions`.
pub(crate) fn as_listed(server: &str, common_name: &str, session: &Session) -> Value {
    let status = match session.end {
        Some(_) => SessionStatus::Disconnected,
        None => SessionStatus::Active,
    };
    json!({
        "id": session.id,
        "common_name": common_name,
        "server_instance": server,
        "real_ip": session.real_ip,
        "real_port": session.real_port,
        "virtual_ip": session.virtual_ip,
        "virtual_ip6": session.virtual_ip6,
        "connected_at": format_millis(session.connected_at),
        "last_seen_at": format_millis(session.last_seen_at),
        "disconnected_at": session.end.map(|end| format_millis(end.disconnected_at)),
        "end_not_after": session.end.map(|end| format_millis(end.not_after)),
        "ended_by": session.end.map(|end| end.ended_by),
        "session_status": status,
        "bytes_in": session.bytes_in.total(),
        "bytes_out": session.bytes_out.total(),
        "bytes_source": session.bytes_source,
        "disconnect_reason": session.disconnect_reason,
        "opened_by_snapshot": session.opened_by_snapshot,
    })
}
