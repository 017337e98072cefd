//! The load generator, `fleet-simulator load`, as a process of its own.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use test_support::run_binary;

use crate::phase::Answer;
use crate::services::{Fleet, Services};

/// What the load generator measured.
#[derive(Debug, Deserialize)]
pub(crate) struct Load {
    pub(crate) events_accepted: u64,
    pub(crate) events_per_second: f64,
    pub(crate) latency_ms: Latency,
    pub(crate) cpu_seconds: Option<f64>,
}

/// From a request's first byte to its answer's last, milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// What is sent. The same seed gives the same ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) batch_size: usize,
    pub(crate) events: u64,
    pub(crate) answer: Answer,
    pub(crate) seed: u64,
}

/// Sends events as fast as they are accepted, over one connection for each VPN server.
pub(crate) async fn send(fleet: &Fleet, services: &Services, order: Order) -> anyhow::Result<Load> {
    let keys = fleet.keys.display().to_string();
    let numbers =
        [order.batch_size as u64, order.events, fleet.servers as u64, order.seed].map(|number| number.to_string());
    let [batch_size, events, connections, seed] = &numbers;
    let url = services.ingest_url();
    let mut arguments = vec![
        "load",
        "--json",
        "--retry",
        "--base-url",
        &url,
        "--keys",
        &keys,
        "--seed",
        seed,
    ];
    arguments.extend([
        "--batch-size",
        batch_size,
        "--events",
        events,
        "--connections",
        connections,
    ]);
    arguments.extend((order.answer == Answer::Accepted).then_some("--async"));
    let printed = run_binary("fleet-simulator", &arguments, &[]).await;
    let load: Load = serde_json::from_str(printed.trim()).context("the load generator's report")?;
    anyhow::ensure!(
        load.events_accepted == order.events,
        "{} of {} events were accepted",
        load.events_accepted,
        order.events
    );
    Ok(load)
}
