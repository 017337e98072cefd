//! All that agents talk to: API key, validation, limits, publish, wait for JetStream's acknowledgement, answer.
//! An answer of 200 or 202 means that every accepted event is on disk.

mod agent_key;
mod answer;
mod batcher;
mod body;
mod command_result;
mod commands;
pub mod config;
mod decode;
mod documented;
mod events;
mod heartbeat;
mod intake;
mod inventory;
mod key_cache;
mod memory;
mod outcomes;
mod polls;
mod preference;
mod revocations;
pub mod routes;
mod store;
mod telemetry;

use actix_web::web::Data;
use anyhow::Context;
use bus::Bus;
use db::Db;
use service_kit::rate_limit::RateLimit;
use service_kit::{Service, clock};

use crate::batcher::{Batcher, Queue};
use crate::config::{Config, Limits};
use crate::key_cache::KeyCache;
use crate::memory::Memory;
use crate::outcomes::Waiters;
use crate::polls::Polls;

const DEFAULT_PORT: u16 = 18_481;
/// Part of the bus' largest message that is left for its frame, bytes.
const MESSAGE_FRAME: usize = 64 << 10;

/// What the handlers share.
pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) db: Db,
    pub(crate) keys: KeyCache,
    /// By the VPN server's key in the database, so the registry bounds it.
    pub(crate) rates: RateLimit<i32>,
    pub(crate) memory: Memory,
    pub(crate) queue: Queue,
    pub(crate) waiters: Waiters,
    pub(crate) polls: Polls,
    /// Where the processor sends the outcomes of this instance's requests.
    pub(crate) reply_subject: String,
    pub(crate) max_message_bytes: usize,
}

impl State {
    /// Seconds to wait before trying again, spread so that agents do not come back all at once.
    pub(crate) fn retry_after(&self) -> u64 {
        1 + u64::from(clock::new_id().as_bytes()[15]) % 5
    }
}

/// The service, ready to run.
///
/// # Errors
/// When PostgreSQL or NATS cannot be reached, or a live stream is not the declared one.
pub async fn build(config: Config) -> anyhow::Result<Service> {
    telemetry::describe();
    let db = Db::connect(&config.database)
        .await
        .context("cannot reach PostgreSQL (DATABASE_URL)")?;
    let bus = Bus::connect(&config.bus).await.context("cannot use NATS (NATS_URL)")?;
    let limits = config.limits;
    let keys = KeyCache::new(db.clone(), &limits);
    let revoked = bus
        .subscribe_api_key_revoked()
        .await
        .context("cannot follow revocations")?;
    let commands = bus
        .subscribe_commands_waiting()
        .await
        .context("cannot follow commands")?;
    let instance = clock::new_id().simple().to_string();
    let (reply_subject, outcomes) = bus
        .subscribe_outcomes(&instance)
        .await
        .context("cannot follow outcomes")?;
    let (queue, batcher) = Batcher::new(bus.clone(), &limits);
    let waiters = Waiters::at_most(limits.ingest_waiting_requests);
    let polls = Polls::new(&limits);
    let (polls_for_bus, polls_for_looks) = (polls.clone(), polls.clone());
    let (db_for_looks, look_every) = (db.clone(), limits.command_look());
    let rates = RateLimit::per_second(limits.ingest_events_per_second, limits.ingest_events_burst);
    let state = Data::new(State {
        keys: keys.clone(),
        rates: rates.clone(),
        memory: Memory::of(limits.ingest_bodies_max_bytes),
        queue,
        waiters: waiters.clone(),
        polls,
        db,
        reply_subject,
        max_message_bytes: bus.max_payload().saturating_sub(MESSAGE_FRAME),
        limits,
    });
    let (for_check, for_revocations, for_stop) = (bus.clone(), bus.clone(), bus);
    // A PostgreSQL that is away is no reason to be out of rotation: known keys go on.
    Ok(Service::new()
        .default_port(DEFAULT_PORT)
        .http(routes::openapi(), move |services| routes::serve(services, &state))
        .check("nats", move || {
            let bus = for_check.clone();
            async move { bus.ping().await.map_err(|error| error.to_string()) }
        })
        .worker("batcher", |shutdown| batcher.run(shutdown))
        .worker("outcomes", |shutdown| waiters.follow(outcomes, shutdown))
        .worker("revocations", |shutdown| {
            revocations::follow(keys, for_revocations, revoked, shutdown)
        })
        .worker("commands", |shutdown| polls_for_bus.follow(commands, shutdown))
        .worker("command-looks", move |shutdown| {
            polls_for_looks.look(db_for_looks, look_every, shutdown)
        })
        .worker("rate-limits", |shutdown| async move {
            rates.keep_small(shutdown).await;
            Ok(())
        })
        .on_stop("bus", move || async move { for_stop.flush().await }))
}
