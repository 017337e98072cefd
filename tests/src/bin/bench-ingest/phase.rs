//! One batch size on an empty database with fresh services.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cpu::Meter;
use crate::database::Database;
use crate::load::{self, Latency, Load, Order};
use crate::services::{Fleet, Services};

/// Opens every connection once, fills caches and creates the month's partition.
const WARM_UP: u64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(10);

/// What the requests ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// `Prefer: respond-async`: as soon as the events are durable.
    Accepted,
    /// With the processor's counts.
    Processed,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) batch_size: usize,
    pub(crate) answer: Answer,
    pub(crate) events: u64,
    pub(crate) accepted_per_second: f64,
    /// In the database, from the first request on.
    pub(crate) processed_per_second: f64,
    pub(crate) latency_ms: Latency,
    pub(crate) events_a_message: f64,
    pub(crate) events_a_transaction: f64,
    /// CPU time of each process, microseconds an event.
    pub(crate) cpu_micros: BTreeMap<&'static str, f64>,
}

/// Measures, and gives the database as it is afterwards.
pub(crate) async fn run(
    fleet: &Fleet,
    batch_size: usize,
    answer: Answer,
    events: u64,
) -> anyhow::Result<(Row, Database)> {
    let database = fleet.database()?;
    let services = Services::start(&database).await;
    let order = |events, batch_size, seed| Order {
        batch_size,
        events,
        answer,
        seed,
    };
    load::send(fleet, &services, order(WARM_UP, 1, 1)).await?;
    processed(&services, &database, WARM_UP).await?;

    let meter = services.meter(&fleet.directory)?;
    let (units, before, started) = (services.units().await?, meter.read()?, Instant::now());
    let load = load::send(fleet, &services, order(events, batch_size, 2)).await?;
    let seconds = (processed(&services, &database, WARM_UP + events).await? - started).as_secs_f64();
    let cpu_micros = cpu_micros(&meter, &before, &load)?;
    let units_after = services.units().await?;
    services.stop().await;
    let row = Row {
        batch_size,
        answer,
        events,
        accepted_per_second: load.events_per_second,
        processed_per_second: events as f64 / seconds,
        latency_ms: load.latency_ms,
        events_a_message: events as f64 / (units_after.messages - units.messages),
        events_a_transaction: events as f64 / (units_after.transactions - units.transactions),
        cpu_micros,
    };
    Ok((row, database))
}

/// When the database had all events: the processor's own count is cheap to ask for, the database confirms it.
async fn processed(services: &Services, database: &Database, events: u64) -> anyhow::Result<Instant> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if services.events_processed().await? >= events {
            let at = Instant::now();
            if database.count("SELECT count(*) FROM vpn_event")? >= events {
                return Ok(at);
            }
        }
        tokio::time::sleep(POLL).await;
    }
    anyhow::bail!("after {PATIENCE:?} not all of {events} events are processed")
}

fn cpu_micros(
    meter: &Meter,
    before: &[(&'static str, f64)],
    load: &Load,
) -> anyhow::Result<BTreeMap<&'static str, f64>> {
    let after = meter.read()?;
    let used = after
        .iter()
        .zip(before)
        .map(|((name, after), (_, before))| (*name, after - before));
    let all = used.chain(load.cpu_seconds.map(|seconds| ("load", seconds)));
    Ok(all
        .map(|(name, seconds)| (name, seconds * 1e6 / load.events_accepted as f64))
        .collect())
}
