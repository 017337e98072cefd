//! `demo`: a fleet that lives beside you. It first tells its recent history, then goes on in real time until stopped.

mod commands;
mod vpn_server;

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;
use uuid::Uuid;

use self::commands::take_commands;
use self::vpn_server::VpnServer;
use crate::agent::{Agent, AgentError};
use crate::clock;
use crate::keys::ServerKey;
use crate::plan::{Deliveries, FleetSettings, Parcel};
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
    deliveries: Deliveries,
    stop: watch::Receiver<bool>,
) -> Result<(), AgentError> {
    let name = agent.server().to_owned();
    tokio::select! {
        result = live_for_ever(agent, &inventory, deliveries) => {
            if let Err(error) = &result {
                tracing::error!(server = name, %error, "This server's agent gives up.");
            }
            result
        }
        () = requested(stop) => Ok(()),
    }
}

async fn live_for_ever(mut agent: Agent, inventory: &Inventory, deliveries: Deliveries) -> Result<(), AgentError> {
    agent.send_inventory(inventory).await?;
    let server = Arc::new(VpnServer::new(deliveries));
    let poll = agent.another();
    let mut courier = Courier {
        agent,
        boot_id: Uuid::nil(),
        history: Vec::new(),
    };
    // Commands are about sessions of today.
    courier.deliver_due(&server).await?;
    tokio::try_join!(courier.deliver(&server), take_commands(poll, Arc::clone(&server)))?;
    Ok(())
}

/// Delivers on time; what is overdue is sent together.
struct Courier {
    agent: Agent,
    boot_id: Uuid,
    history: Vec<Event>,
}

impl Courier {
    async fn deliver(&mut self, server: &VpnServer) -> Result<(), AgentError> {
        loop {
            self.deliver_due(server).await?;
            server.has_news().await;
        }
    }

    async fn deliver_due(&mut self, server: &VpnServer) -> Result<(), AgentError> {
        while let Some(delivery) = server.take_due() {
            match delivery.parcel {
                Parcel::Events { boot_id, events } => self.add(boot_id, events).await?,
                Parcel::Heartbeat(heartbeat) if clock::now() - delivery.at < STALE_HEARTBEAT => {
                    self.send_history().await?;
                    self.agent.send_heartbeat(&heartbeat).await?;
                }
                Parcel::Heartbeat(_) | Parcel::Lost { .. } => {}
            }
        }
        self.send_history().await
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
