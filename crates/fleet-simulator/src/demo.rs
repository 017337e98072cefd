//! `demo`: a fleet that lives beside you. It first tells its recent history, then goes on in real time until stopped.

use std::time::Duration;

use futures_util::future::join_all;
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use crate::agent::{Agent, AgentError};
use crate::clock;
use crate::keys::ServerKey;
use crate::plan::{Delivery, FleetSettings, Parcel};
use crate::requested;
use agent_api::{Event, Inventory};

/// History is sent in batches of this many events.
const HISTORY_BATCH: usize = 500;
/// A heartbeat older than this tells nothing of the server's health.
const STALE_HEARTBEAT: time::Duration = time::Duration::seconds(60);

/// Runs until `stop` turns true.
///
/// # Errors
/// When an agent is refused for good, for example because of a revoked key; the others go on until then.
pub async fn run_demo(
    base_url: &str,
    keys: Vec<ServerKey>,
    settings: &FleetSettings,
    stop: watch::Receiver<bool>,
) -> Result<(), AgentError> {
    let mut servers = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        let agent = Agent::new(base_url, key, settings.seed.wrapping_add(index as u64))?;
        let inventory = settings.inventory(index);
        servers.push(live(agent, inventory, settings.deliveries(index), stop.clone()));
    }
    join_all(servers).await.into_iter().collect()
}

async fn live(
    agent: Agent,
    inventory: Inventory,
    deliveries: impl Iterator<Item = Delivery>,
    stop: watch::Receiver<bool>,
) -> Result<(), AgentError> {
    let server = agent.server().to_owned();
    let mut courier = Courier {
        agent,
        boot_id: Uuid::nil(),
        history: Vec::new(),
    };
    tokio::select! {
        result = courier.live(&inventory, deliveries) => {
            if let Err(error) = &result {
                tracing::error!(server, %error, "This server's agent gives up.");
            }
            result
        }
        () = requested(stop) => Ok(()),
    }
}

/// Delivers on time; what is overdue is sent together.
struct Courier {
    agent: Agent,
    boot_id: Uuid,
    history: Vec<Event>,
}

impl Courier {
    async fn live(
        &mut self,
        inventory: &Inventory,
        deliveries: impl Iterator<Item = Delivery>,
    ) -> Result<(), AgentError> {
        self.agent.send_inventory(inventory).await?;
        self.deliver(deliveries).await
    }

    async fn deliver(&mut self, deliveries: impl Iterator<Item = Delivery>) -> Result<(), AgentError> {
        for delivery in deliveries {
            if let Some(wait) = until(delivery.at) {
                self.send_history().await?;
                tokio::time::sleep(wait).await;
            }
            match delivery.parcel {
                Parcel::Events { boot_id, events } => self.add(boot_id, events).await?,
                Parcel::Heartbeat(heartbeat) if clock::now() - delivery.at < STALE_HEARTBEAT => {
                    self.send_history().await?;
                    self.agent.send_heartbeat(&heartbeat).await?;
                }
                Parcel::Heartbeat(_) | Parcel::Lost { .. } => {}
            }
        }
        Ok(())
    }

    async fn add(&mut self, boot_id: Uuid, events: Vec<Event>) -> Result<(), AgentError> {
        if boot_id != self.boot_id || self.history.len() + events.len() > HISTORY_BATCH {
            self.send_history().await?;
        }
        self.boot_id = boot_id;
        self.history.extend(events);
        Ok(())
    }

    async fn send_history(&mut self) -> Result<(), AgentError> {
        let events = std::mem::take(&mut self.history);
        if !events.is_empty() {
            let answer = self.agent.send_events(self.boot_id, &events).await?;
            if let Some(error) = answer.errors.first() {
                tracing::warn!(server = self.agent.server(), ?error, "The agent API refused an event.");
            }
        }
        Ok(())
    }
}

fn until(at: OffsetDateTime) -> Option<Duration> {
    (at - clock::now()).try_into().ok()
}
