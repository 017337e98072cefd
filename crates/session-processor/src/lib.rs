//! Turns events into sessions: takes batches from JetStream, applies each in one transaction, tells the live cache, the
//! realtime subscribers and the waiting ingest, and only then acknowledges. Any number of replicas may run.

pub mod cli;
pub mod config;
mod consumer;
mod decode;
mod handle;
mod live;
mod live_session;
mod publish;
mod rejected;
mod sweep;
mod usage;

use bus::Bus;
use db::Db;
use futures_util::FutureExt;
use service_kit::Service;

use config::Config;
use live::LiveCache;

/// What the workers share.
#[derive(Clone)]
struct State {
    db: Db,
    bus: Bus,
    live: LiveCache,
    config: Config,
}

/// Connects to PostgreSQL, NATS and Redis, and assembles the service.
///
/// # Errors
/// When one of them cannot be reached, or the streams differ from the declared ones.
pub async fn build(config: Config) -> anyhow::Result<Service> {
    let db = Db::connect_for_batches(&config.database).await?;
    let bus = Bus::connect(&config.bus).await?;
    let live = LiveCache::connect(&config.live).await?;
    // Its own, for statements that the settings of batches do not suit.
    let counting = Db::connect(&config.database).await?;
    let usage_config = config.usage.clone();
    let state = State { db, bus, live, config };
    let service = checks(Service::new().default_port(18485), &state);
    let (telemetry, rejected, sweep, live, bus) = (
        state.clone(),
        state.clone(),
        state.clone(),
        state.clone(),
        state.bus.clone(),
    );
    Ok(service
        .worker("telemetry", move |shutdown| consumer::run(telemetry, shutdown))
        .worker("rejected events", move |shutdown| rejected::run(rejected, shutdown))
        .worker("timeouts", move |shutdown| sweep::run(sweep, shutdown))
        .worker("live cache", move |shutdown| live::run(live, shutdown))
        .worker("usage", move |shutdown| usage::run(counting, usage_config, shutdown))
        .on_stop("acknowledgements", move || async move { bus.flush().await }))
}

/// The live cache is no readiness check: without Redis the truth goes on being written.
fn checks(service: Service, state: &State) -> Service {
    let (db, bus) = (state.db.clone(), state.bus.clone());
    service
        .check("postgres", move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|error| error.to_string()) }.boxed()
        })
        .check("nats", move || {
            let bus = bus.clone();
            async move { bus.ping().await.map_err(|error| error.to_string()) }.boxed()
        })
}
