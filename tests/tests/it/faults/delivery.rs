//! Sends events as a real agent does: each batch from its spool, the same events again until the answer says that they are
//! stored.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::event::{Event, EventType};
use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{Agent, Reply, eventually_within, now};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Longer than any server or service is away.
const PATIENCE: Duration = Duration::from_secs(60);

/// All that one VPN server's agent sends.
pub(super) struct History {
    pub(super) server: String,
    pub(super) duplicate_cn: bool,
    pub(super) events: Vec<Event>,
}

impl History {
    /// The batches in which the events are sent: up to `largest` events each, one boot each.
    pub(super) fn batches(&self, rng: &mut StdRng, largest: usize) -> Vec<Vec<Event>> {
        let mut batches = Vec::new();
        let mut rest = &self.events[..];
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(rng.random_range(1..=largest).min(rest.len()));
            let mut by_boot: BTreeMap<_, Vec<Event>> = BTreeMap::new();
            for event in batch {
                by_boot.entry(event.boot_id).or_default().push(event.clone());
            }
            batches.extend(by_boot.into_values());
            rest = after;
        }
        batches
    }
}

/// Sends a batch until it is stored; answers how often it had to be sent.
///
/// # Panics
/// When the answer is final and not 2xx, or some event is refused, or nothing helps for long.
pub(super) async fn deliver(agent: &Agent, server: &str, batch: &[Event]) -> usize {
    let mut attempts = 0;
    eventually_within(PATIENCE, "a batch to be stored", async || {
        attempts += 1;
        let request = agent.request(Method::POST, "/api/v1/events").await;
        let reply = Reply::try_to(request.json(&body(server, batch))).await;
        reply.is_ok_and(|reply| is_stored(&reply)).then_some(())
    })
    .await;
    attempts
}

fn is_stored(reply: &Reply) -> bool {
    let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    assert!(
        !reply.status.is_client_error() || again.contains(&reply.status),
        "a final answer: {} {}",
        reply.status,
        reply.body
    );
    if reply.status.is_success() {
        assert_eq!(reply.json()["errors"], json!([]), "{}", reply.body);
    }
    reply.status.is_success()
}

/// A body of `POST /api/v1/events`; all events are of one boot.
pub(super) fn body(server: &str, events: &[Event]) -> Value {
    let boot_id = events.first().and_then(|event| event.boot_id);
    json!({
        "server_id": server, "sent_at": rfc3339(now()), "boot_id": boot_id,
        "events": events.iter().map(wire).collect::<Vec<_>>(),
    })
}

/// An event as it goes over the wire.
pub(super) fn wire(event: &Event) -> Value {
    let mut json = match event.event_type {
        EventType::SessionSnapshot => json!({"sessions": event.sessions}),
        EventType::ServerStarted | EventType::ServerStopped => json!({}),
        _ => serde_json::to_value(&event.sessions[0]).expect("facts are an object"),
    };
    json["event_id"] = event.event_id.to_string().into();
    json["type"] = event.event_type.as_str().into();
    json["event_time_vpn"] = rfc3339(event.event_time).into();
    json["seq"] = event.seq.into();
    json
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).expect("a year of four digits")
}
