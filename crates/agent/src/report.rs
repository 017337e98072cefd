//! What the running agent knows, at one instant: for `agent status` as JSON and as text, for Prometheus as metrics.

mod asked;
mod metrics;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

pub use asked::{Asked, Command};

use crate::clock;
use crate::commands::journal::Journal;
use crate::config::Config;
use crate::core::View;
use crate::health::{Api, DeadLetters, Health, Source, Told};
use crate::log::{Complaint, Complaints};
use crate::spool::read_from;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub agent_version: String,
    pub server_id: String,
    pub api_url: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub running_since: OffsetDateTime,
    pub daemon: Daemon,
    pub sessions: usize,
    pub sources: BTreeMap<String, Source>,
    pub spool: Waiting,
    pub api: Api,
    /// None: the agent takes no commands.
    pub commands: Option<Asked>,
    /// None: there are no files to look at.
    pub inventory: Option<Told>,
    pub dead_letters: DeadLetters,
    pub complaints: Vec<Complaint>,
}

/// The OpenVPN daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemon {
    pub version: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// The kernel moves the data.
    pub dco: Option<bool>,
}

/// What is on disk and not yet with the product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub events: u64,
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest_at: Option<OffsetDateTime>,
    pub bytes: u64,
    pub limit_bytes: u64,
    /// Updates given up since the agent's start because the spool was full.
    pub given_up: u64,
}

/// Makes reports.
#[derive(Debug, Clone)]
pub struct Reporter {
    server_id: String,
    api_url: String,
    spool: PathBuf,
    spool_limit: u64,
    running_since: OffsetDateTime,
    pub(crate) health: Health,
    complaints: Complaints,
    state_dir: PathBuf,
    journal: Option<Arc<Journal>>,
    view: watch::Receiver<View>,
    sent: watch::Receiver<u64>,
}

impl Reporter {
    pub fn new(
        config: &Config,
        health: Health,
        complaints: Complaints,
        journal: Arc<Journal>,
        view: watch::Receiver<View>,
        sent: watch::Receiver<u64>,
    ) -> Self {
        Self {
            server_id: config.server_id.clone(),
            api_url: config.api_url.clone(),
            spool: config.spool_dir(),
            spool_limit: config.spool.max_mib << 20,
            running_since: clock::now(),
            health,
            complaints,
            state_dir: config.state_dir.clone(),
            journal: Some(journal).filter(|_| config.commands.enabled),
            view,
            sent,
        }
    }

    pub async fn report(&self) -> Report {
        let view = self.view.borrow().clone();
        let sent = *self.sent.borrow();
        let events = view.next_index.saturating_sub(sent);
        let oldest_at = match events {
            0 => None,
            _ => self.oldest(sent).await,
        };
        Report {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            server_id: self.server_id.clone(),
            api_url: self.api_url.clone(),
            at: clock::now(),
            running_since: self.running_since,
            daemon: Daemon {
                version: view.daemon_version,
                started_at: view
                    .daemon_started_at
                    .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()),
                dco: view.dco,
            },
            sessions: view.sessions,
            sources: self.health.sources(),
            spool: Waiting {
                events,
                oldest_at,
                bytes: view.spool_bytes,
                limit_bytes: self.spool_limit,
                given_up: view.dropped,
            },
            api: self.health.api(),
            commands: self.asked().await,
            inventory: self.health.inventory(),
            dead_letters: self.health.dead_letters(),
            complaints: self.complaints.list(),
        }
    }

    /// The time of the first event that waits.
    async fn oldest(&self, sent: u64) -> Option<OffsetDateTime> {
        #[derive(Deserialize)]
        struct Spooled {
            event: At,
        }
        #[derive(Deserialize)]
        struct At {
            #[serde(with = "time::serde::rfc3339")]
            event_time_vpn: OffsetDateTime,
        }
        let spool = self.spool.clone();
        let read = tokio::task::spawn_blocking(move || read_from(&spool, sent, 1, 1));
        let records = read.await.ok()?.ok()?;
        let spooled: Spooled = serde_json::from_slice(&records.first()?.payload).ok()?;
        Some(spooled.event.event_time_vpn)
    }
}

impl Report {
    /// Whether sessions arrive: a source works, and the product answers.
    pub fn is_well(&self) -> bool {
        let recently = |at: OffsetDateTime| self.at - at < Duration::minutes(5);
        self.sources.values().any(|source| source.works) && self.api.accepted_at.is_some_and(recently)
    }
}
