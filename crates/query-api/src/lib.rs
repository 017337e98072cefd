//! What the portal reads: sessions, VPN users, VPN servers, events, identity at an instant, the dashboard, exports.

mod activity;
mod audit_export;
mod audit_filter;
mod audit_logs;
mod audit_verify;
mod commands;
pub mod config;
mod csv_cells;
mod dashboard;
mod error;
mod events;
mod export;
mod exporting;
mod fields;
mod gap;
mod health_history;
mod identity;
mod identity_reason;
mod known_by;
mod page;
mod parameters;
mod registry;
mod related;
pub mod routes;
mod search;
mod server_health;
mod servers;
mod session_detail;
mod session_filter;
mod session_rows;
mod sessions;
mod table;
mod terminate;
mod time_range;
mod timeline;
mod top_users;
mod traffic;
mod usage;
mod vpn_denials;
mod vpn_user_activity;
mod vpn_user_detail;
mod vpn_user_edit;
mod vpn_user_export;
mod vpn_users;
mod waiting_agents;

use std::time::Duration;

use access_token::{Denylist, Guard, PublicKey, Verifier};
use actix_web::web::Data;
use anyhow::Context;
use bus::Bus;
use db::{Db, ReaderConfig, signing_keys};
use service_kit::Service;

use crate::config::Config;
use crate::dashboard::UsageCache;
use crate::server_health::Thresholds;

const DEFAULT_PORT: u16 = 18_483;

/// What the handlers share.
pub(crate) struct State {
    pub(crate) db: Db,
    /// Its own connections, so that exports neither wait for pages nor keep them waiting.
    pub(crate) exports: Db,
    /// Where changes and audit entries go, never a replica.
    pub(crate) writer: Db,
    /// Held by the one verification of the audit log that may run.
    pub(crate) verifying: tokio::sync::Mutex<()>,
    /// Tells other services what was revoked.
    pub(crate) bus: Bus,
    pub(crate) thresholds: Thresholds,
    pub(crate) usage: UsageCache,
    /// How long a request to end a session waits for an agent.
    pub(crate) termination_patience: time::Duration,
}

/// The service, ready to run.
///
/// # Errors
/// When the database cannot be reached.
pub async fn build(config: Config) -> anyhow::Result<Service> {
    let db = connect(
        &config,
        config.database.database_pool_size,
        Some(config.query_timeout()),
    )
    .await?;
    let exports = connect(&config, config.export_connections, None).await?;
    let writer = Db::connect(&config.database)
        .await
        .context("cannot reach PostgreSQL (DATABASE_URL)")?;
    let bus = Bus::connect(&config.bus).await.context("cannot use NATS (NATS_URL)")?;
    let denylist = Denylist::connect(&config.access).context("cannot use Redis (REDIS_URL)")?;
    let revoked = bus
        .subscribe_access_revoked()
        .await
        .context("cannot follow revocations")?;
    let guard = Guard::new(routes::ROUTES, verifier(&config, &db), denylist.clone(), &config.access)
        .on_denied(audit_actor::denial_recorder(writer.clone()));
    let state = Data::new(State {
        db: db.clone(),
        exports,
        writer,
        verifying: tokio::sync::Mutex::default(),
        bus,
        thresholds: config.thresholds(),
        usage: UsageCache::new(config.usage_cache()),
        termination_patience: config.termination_patience(),
    });
    let service = denylist
        .attach(Service::new(), revoked)
        .default_port(DEFAULT_PORT)
        .http(routes::openapi()?, move |services| {
            routes::serve(services, &guard, &state)
        })
        .check("postgres", move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|error| error.to_string()) }
        });
    Ok(service)
}

async fn connect(config: &Config, pool_size: u32, statement_timeout: Option<Duration>) -> anyhow::Result<Db> {
    let reader = ReaderConfig {
        url: config.read_url().to_owned(),
        pool_size,
        connect_timeout: Duration::from_secs(config.database.database_connect_timeout_seconds),
        statement_timeout,
    };
    Db::connect_reader(&reader)
        .await
        .context("cannot reach PostgreSQL (DATABASE_READ_URL, else DATABASE_URL)")
}

fn verifier(config: &Config, db: &Db) -> Verifier {
    let db = db.clone();
    Verifier::new(&config.token_issuer, &config.token_audience, move || {
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
