//! What session-processor would publish.

use std::time::Duration;

use anyhow::Context;
use bus::proto::{DeltaKind, SessionDelta, SessionDeltas};
use bus::{Bus, BusConfig};
use serde_json::json;
use test_support::Stack;
use tokio::time::{MissedTickBehavior, interval};

use crate::Arguments;
use crate::client::Crowd;

/// VPN servers that the sessions are of.
const SERVERS: u64 = 16;

pub(crate) struct Publisher {
    bus: Bus,
    first: u64,
    messages: u64,
    sessions: u64,
    pause: Duration,
}

impl Publisher {
    pub(crate) async fn connect(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Self> {
        let config = BusConfig::new(stack.variable("NATS_URL"), stack.variable("BUS_NAMESPACE"));
        let bus = Bus::connect(&config).await.context("NATS is not there")?;
        let first = bus.realtime_state().await?.last + 1;
        Ok(Self {
            bus,
            first,
            messages: (arguments.rate * arguments.seconds).round().max(1.0) as u64,
            sessions: arguments.sessions as u64,
            pause: Duration::from_secs_f64(1.0 / arguments.rate),
        })
    }

    /// The sequence of the first message.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Publishes them all, and notes when each was acknowledged.
    pub(crate) async fn publish(&self, crowd: &Crowd) -> anyhow::Result<()> {
        let mut ticks = interval(self.pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for message in 0..self.messages {
            ticks.tick().await;
            self.bus.publish_deltas(&[self.message(message)]).await?;
            crowd.acknowledged(message);
        }
        Ok(())
    }

    fn message(&self, number: u64) -> SessionDeltas {
        let server_name = format!("vpn-{}", number % SERVERS);
        let sessions = (0..self.sessions).map(|index| session(number * self.sessions + index, &server_name));
        SessionDeltas {
            sessions: sessions.collect(),
            server_name: server_name.clone(),
        }
    }
}

/// As large as a session is.
fn session(number: u64, server_name: &str) -> SessionDelta {
    let id = u128::from(number) + (1 << 100);
    let json = json!({
        "id": format!("{id:032x}"),
        "common_name": format!("user{number}@example.com"),
        "vpn_user_id": number,
        "server_instance": server_name,
        "server_key": 1,
        "real_ip": "203.0.113.5",
        "real_port": 1194,
        "virtual_ip": "10.8.0.2",
        "virtual_ip6": null,
        "connected_at": "2026-02-13T12:00:00.000Z",
        "last_seen_at": "2026-02-13T12:00:00.000Z",
        "disconnected_at": null,
        "end_not_after": null,
        "bytes_in": 123_456,
        "bytes_out": 654_321,
        "bytes_source": null,
        "session_status": "active",
        "ended_by": null,
        "disconnect_reason": null,
        "opened_by_snapshot": false,
        "username": null,
        "cid": 7,
        "client": {"platform": "linux", "version": "2.6.3"},
        "cipher": "AES-256-GCM",
        "version": 1,
    });
    SessionDelta {
        kind: DeltaKind::Connected.into(),
        session_id: id.to_be_bytes().to_vec(),
        version: 1,
        session_json: json.to_string(),
    }
}
