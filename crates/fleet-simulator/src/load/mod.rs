//! `load`: events as fast as asked for, over keep-alive connections, at little cost of its own.

mod bodies;
mod connection;
mod report;
mod worker;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;
use futures_util::future::join_all;
use tokio::sync::watch;
use uuid::Uuid;

use self::bodies::{Bodies, spread};
use self::connection::{Connection, Endpoint};
pub use self::report::{Latency, LoadReport};
use self::worker::Worker;
use crate::keys::ServerKey;

#[derive(Debug, Clone)]
pub struct LoadSettings {
    pub base_url: String,
    /// Connections are dealt out to these servers in turn.
    pub keys: Vec<ServerKey>,
    /// Events a second over all connections; `None`: as many as possible.
    pub rate: Option<f64>,
    pub batch_size: usize,
    pub connections: usize,
    /// Stops after this time, in seconds.
    pub seconds: Option<f64>,
    /// Stops after exactly this many events.
    pub events: Option<u64>,
    /// Asks for an answer before the events are processed (`Prefer: respond-async`).
    pub respond_async: bool,
    pub compression: Option<Compression>,
    pub mix: Mix,
    pub numbering: Numbering,
    /// VPN users over all connections; each belongs to one connection.
    pub users: usize,
    /// Sessions that are opened before the rate begins; without a limit of events they stay about as many.
    pub hold: usize,
    /// The same seed gives the same ids.
    pub seed: u64,
    /// Sends a request again until it is accepted.
    pub retry: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    Zstd,
    Gzip,
}

/// Whether events are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Numbering {
    /// When no two connections speak for the same server: then numbers arrive in order, as from a real agent.
    Auto,
    Always,
    Never,
}

/// Weights of connects, updates and disconnects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    pub connects: u32,
    pub updates: u32,
    pub disconnects: u32,
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let weights: Option<Vec<u32>> = text.split(':').map(|weight| weight.parse().ok()).collect();
        match weights.as_deref() {
            Some(&[connects, updates, disconnects])
                if connects > 0 && connects.max(updates).max(disconnects) < 1000 =>
            {
                Ok(Self {
                    connects,
                    updates,
                    disconnects,
                })
            }
            _ => Err("write it as CONNECTS:UPDATES:DISCONNECTS, with at least one connect, each below 1000".to_owned()),
        }
    }
}

/// Sends load until it is over or `stop` turns true.
///
/// # Errors
/// When the settings make no sense, or the agent API cannot be reached at the start.
pub async fn run_load(settings: LoadSettings, stop: watch::Receiver<bool>) -> anyhow::Result<LoadReport> {
    check(&settings)?;
    let endpoint = Endpoint::parse(&settings.base_url)?;
    let connections = open_connections(&endpoint, settings.connections).await?;
    let numbered = match settings.numbering {
        Numbering::Auto => settings.connections <= settings.keys.len(),
        numbering => numbering == Numbering::Always,
    };
    let shared = Arc::new(Shared {
        remaining: AtomicU64::new(settings.events.unwrap_or(u64::MAX)),
        sequences: settings.keys.iter().map(|_| AtomicU64::new(1)).collect(),
        begun: Instant::now(),
        end: settings.seconds.map(Duration::from_secs_f64),
    });
    let begun = Instant::now();
    let workers = connections.into_iter().enumerate().map(|(lane, connection)| {
        let bodies = Bodies::new(&settings, lane, numbered);
        let worker = Worker::new(&settings, lane, connection, bodies, Arc::clone(&shared));
        tokio::spawn(worker.run(stop.clone()))
    });
    let tallies: Result<Vec<_>, _> = join_all(workers.collect::<Vec<_>>()).await.into_iter().collect();
    Ok(LoadReport::new(
        tallies.context("a connection's task failed")?,
        begun.elapsed(),
    ))
}

fn check(settings: &LoadSettings) -> anyhow::Result<()> {
    anyhow::ensure!(!settings.keys.is_empty(), "there is no API key");
    anyhow::ensure!(
        settings.connections > 0 && settings.connections <= 10_000,
        "--connections must be 1 to 10000"
    );
    anyhow::ensure!(
        settings.batch_size > 0 && settings.batch_size <= 10_000,
        "--batch-size must be 1 to 10000"
    );
    anyhow::ensure!(settings.rate.is_none_or(|rate| rate > 0.0), "--rate must be positive");
    anyhow::ensure!(
        settings.users >= settings.connections,
        "--users must not be fewer than connections"
    );
    anyhow::ensure!(settings.users >= settings.hold, "--users must not be fewer than --hold");
    Ok(())
}

/// All at the start, so that a wrong address is an error and not a load of zero.
async fn open_connections(endpoint: &Endpoint, count: usize) -> anyhow::Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        let connection = Connection::open(endpoint.clone()).await;
        connections.push(connection.with_context(|| format!("cannot connect to {}", endpoint.authority))?);
    }
    Ok(connections)
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    remaining: AtomicU64,
    /// The next number of each server.
    sequences: Vec<AtomicU64>,
    begun: Instant,
    end: Option<Duration>,
}

impl Shared {
    /// How many events of a batch may still be sent.
    fn claim(&self, batch_size: usize) -> usize {
        let wanted = batch_size as u64;
        let before = self
            .remaining
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(if left == u64::MAX {
                    left
                } else {
                    left.saturating_sub(wanted)
                })
            });
        before.unwrap_or_default().min(wanted) as usize
    }

    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| self.begun.elapsed() >= end)
    }
}

/// The id of the event with this number on this connection; the first event of the first connection has number 0 there.
pub fn event_id(seed: u64, lane: usize, number: u64) -> Uuid {
    let stream = spread(seed ^ spread(lane as u64 + 1));
    let high = spread(stream.wrapping_add(number));
    let low = spread(high ^ stream.rotate_left(32) ^ number.rotate_left(17));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
