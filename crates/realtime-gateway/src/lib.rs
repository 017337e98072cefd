//! What happens now, for the portal: `/ws` gives a snapshot of the active sessions and then every change, without a hole and
//! without a double. Any number of replicas may run; all of them tell the same.
//!
//! One task follows the stream of session changes ([`feed`]) and keeps the sessions and the latest frames in memory
//! ([`live`], behind [`hub`]); each socket reads from there at its own pace ([`socket`]).

mod access;
mod change;
mod client_frame;
mod close;
pub mod config;
mod feed;
mod frames;
mod hub;
mod live;
mod live_cache;
mod log;
mod origin;
mod position;
mod rates;
pub mod routes;
mod servers;
mod snapshot;
mod socket;
mod source;
mod stats;
mod status;
mod upgrade;
mod verify;
mod view;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use access_token::{Denylist, Guard, PublicKey, Verifier};
use actix_web::web::Data;
use anyhow::Context;
use bus::Bus;
use db::{Db, ReaderConfig, signing_keys};
use service_kit::Service;
use tokio::sync::Semaphore;

use crate::access::Gate;
use crate::config::{Config, RealtimeConfig};
use crate::feed::Feed;
use crate::hub::Hub;
use crate::live_cache::LiveCache;
use crate::origin::Origins;
use crate::servers::Servers;
use crate::source::Source;

const DEFAULT_PORT: u16 = 18_484;
/// How long a query may run.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// What the sockets share.
pub(crate) struct State {
    pub(crate) hub: Arc<Hub>,
    pub(crate) servers: Arc<Servers>,
    pub(crate) gate: Gate,
    pub(crate) origins: Origins,
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) config: RealtimeConfig,
}

/// The service, ready to run.
///
/// # Errors
/// When the database or NATS cannot be reached.
pub async fn build(config: Config) -> anyhow::Result<Service> {
    let db = connect(&config).await?;
    let bus = Bus::connect(&config.bus).await?;
    let cache = LiveCache::connect(&config.access)?;
    let denylist = Denylist::connect(&config.access)?;
    let verifier = verifier(&config, &db);
    let hub = Arc::new(Hub::new(config.realtime.realtime_page_sessions));
    let state = Data::new(State {
        hub: Arc::clone(&hub),
        servers: Arc::default(),
        gate: Gate {
            verifier: verifier.clone(),
            denylist: denylist.clone(),
        },
        origins: Origins::new(&config.realtime.portal_origins),
        sockets: Arc::new(Semaphore::new(config.realtime.realtime_max_connections)),
        config: config.realtime.clone(),
    });
    let guard = Guard::new(routes::ROUTES, verifier, denylist.clone(), &config.access);
    let service = Service::new().default_port(DEFAULT_PORT).http(routes::openapi()?, {
        let state = state.clone();
        move |services| routes::serve(services, &guard, &state)
    });
    let revocations = bus.subscribe_access_revoked().await?;
    let service = service
        .worker("revocations", {
            let denylist = denylist.clone();
            move |shutdown| denylist.follow(revocations, shutdown)
        })
        .worker("denylist", move |shutdown| denylist.reconcile(shutdown));
    Ok(checks(follow(service, &config, &state, &db, &bus, cache), &db, &bus))
}

/// What keeps the hub up to date.
fn follow(service: Service, config: &Config, state: &Data<State>, db: &Db, bus: &Bus, cache: LiveCache) -> Service {
    let following = Arc::new(AtomicBool::new(false));
    let hub = || Arc::clone(&state.hub);
    let feed = Feed {
        hub: hub(),
        bus: bus.clone(),
        source: Source {
            cache: cache.clone(),
            db: db.clone(),
        },
        following: Arc::clone(&following),
        gather: config.realtime.gather(),
        replay_bytes: config.realtime.realtime_replay_bytes,
        known: None,
        distrusted: false,
    };
    let (verify_hub, verify_db, verify_every) = (hub(), db.clone(), config.realtime.verify_interval());
    let (servers, servers_hub, servers_db) = (Arc::clone(&state.servers), hub(), db.clone());
    let thresholds = config.health.thresholds();
    let (stats_hub, status_hub) = (hub(), hub());
    service
        .worker("session changes", move |shutdown| feed.run(shutdown))
        .worker("status", move |shutdown| {
            status::run(status_hub, cache, following, shutdown)
        })
        .worker("comparison", move |shutdown| {
            verify::run(verify_hub, verify_db, verify_every, shutdown)
        })
        .worker("servers", move |shutdown| {
            servers::run(servers_hub, servers, servers_db, thresholds, shutdown)
        })
        .worker("statistics", move |shutdown| stats::run(stats_hub, shutdown))
}

/// Redis is no readiness check: without it the sessions come from the database.
fn checks(service: Service, db: &Db, bus: &Bus) -> Service {
    let (db, bus) = (db.clone(), bus.clone());
    service
        .check("postgres", move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|error| error.to_string()) }
        })
        .check("nats", move || {
            let bus = bus.clone();
            async move { bus.ping().await.map_err(|error| error.to_string()) }
        })
}

async fn connect(config: &Config) -> anyhow::Result<Db> {
    let reader = ReaderConfig {
        url: config.database.database_url.clone(),
        pool_size: config.database.database_pool_size,
        connect_timeout: Duration::from_secs(config.database.database_connect_timeout_seconds),
        statement_timeout: Some(QUERY_TIMEOUT),
    };
    Db::connect_reader(&reader)
        .await
        .context("cannot reach PostgreSQL (DATABASE_URL)")
}

fn verifier(config: &Config, db: &Db) -> Verifier {
    let db = db.clone();
    Verifier::new(&config.tokens.token_issuer, &config.tokens.token_audience, move || {
        let db = db.clone();
        Box::pin(async move {
            let keys = signing_keys::list(&db).await.map_err(|error| error.to_string())?;
            Ok(keys
                .into_iter()
                .map(|key| PublicKey {
                    kid: key.kid,
                    public_key: key.public_key,
                })
                .collect())
        })
    })
}
