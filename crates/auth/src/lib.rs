//! Who may come in: login, access tokens and their keys, portal users, API keys of agents.

mod account_view;
mod answers;
mod api_key;
mod audit_checkpoint;
pub mod cli;
pub mod config;
mod current_password;
mod error;
mod fields;
mod hashing;
mod housekeeping;
mod issued;
mod jwks;
mod login;
mod logout;
mod me;
mod password;
mod portal_roles;
mod portal_users;
mod private_file;
mod profile;
mod random;
mod refresh;
mod refresh_cookie;
mod refresh_token;
mod revocations;
pub mod routes;
mod secret_text;
mod server_keys;
mod signing_key_file;
mod state;
mod tokens;
mod totp;
mod username;

use std::time::Duration;

use access_token::{Denylist, Guard, Signer, Verifier};
use actix_web::web::Data;
use anyhow::{Context, bail};
use bus::Bus;
use db::Db;
use db::audit::Actor;
use db::signing_keys::{self, Published, SigningKey};
use ring::rand::SystemRandom;
use service_kit::Service;
use service_kit::rate_limit::RateLimit;

use crate::audit_checkpoint::CheckpointWorker;
use crate::config::{Config, TokenConfig};
use crate::current_password::PasswordTries;
use crate::hashing::Hasher;
use crate::revocations::Revocations;
use crate::tokens::Tokens;
use crate::totp::SecretsKey;

pub(crate) use crate::state::State;

const DEFAULT_PORT: u16 = 18_482;

/// The service, ready to run; its signing key is known to all services from now on.
///
/// # Errors
/// When the database is away or the signing key cannot be used.
pub async fn build(config: Config) -> anyhow::Result<Service> {
    let db = Db::connect(&config.database)
        .await
        .context("cannot reach PostgreSQL (DATABASE_URL)")?;
    let signer = signing_key_file::load_or_create(&config.auth_signing_key_file, &SystemRandom::new())
        .context("the signing key (AUTH_SIGNING_KEY_FILE) cannot be used")?;
    publish(&db, &signer).await?;
    let secrets = secrets_key(&config, &db).await?;
    let checkpoints = checkpoint_worker(&config, &db).await?;
    let hasher = Hasher::new(config.auth_hash_workers, config.auth_hash_queue).context("passwords cannot be hashed")?;
    let bus = Bus::connect(&config.bus).await.context("cannot use NATS (NATS_URL)")?;
    let denylist = Denylist::connect(&config.access).context("cannot use Redis (REDIS_URL)")?;
    let verifier = verifier(&config.tokens, &db);
    let guard = Guard::new(routes::ROUTES, verifier, denylist.clone(), &config.access)
        .on_denied(audit_actor::denial_recorder(db.clone()));
    let revocations = Revocations::new(denylist.clone(), bus.clone());
    let sources = RateLimit::per_minute(config.sessions.login_requests_per_minute);
    let tokens = Tokens {
        signer,
        config: config.tokens,
    };
    let state = Data::new(State {
        db: db.clone(),
        bus: bus.clone(),
        hasher,
        tokens,
        sessions: config.sessions.clone(),
        lockout: config.lockout.rules(),
        sources: sources.clone(),
        revocations: revocations.clone(),
        secrets,
        password_tries: PasswordTries::default(),
    });
    let service = access_service(&db, &bus, &denylist, revocations)
        .await?
        .default_port(DEFAULT_PORT)
        .http(routes::openapi()?, move |services| {
            routes::serve(services, &guard, &state)
        })
        .worker("rate-limits", |shutdown| async move {
            sources.keep_small(shutdown).await;
            Ok(())
        })
        .worker("housekeeping", {
            let db = db.clone();
            |shutdown| housekeeping::run(db, config.sessions, shutdown)
        })
        .check("postgres", move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|error| error.to_string()) }
        })
        .worker("audit-checkpoint", |shutdown| async move {
            checkpoints.run(shutdown).await;
            anyhow::Ok(())
        });
    Ok(service)
}

/// What keeps the denylist right, here and in Redis. Redis and NATS may be away for a while: reads go on.
async fn access_service(db: &Db, bus: &Bus, denylist: &Denylist, revocations: Revocations) -> anyhow::Result<Service> {
    let revoked = bus
        .subscribe_access_revoked()
        .await
        .context("cannot follow revocations")?;
    if let Err(error) = revocations.fill(db).await {
        tracing::warn!(error = format!("{error:#}"), "the denylist cannot be filled yet");
    }
    let db = db.clone();
    Ok(denylist
        .attach(Service::new(), revoked)
        .worker("denylist-fill", |shutdown| revocations.keep_filled(db, shutdown)))
}

/// The key of the TOTP secrets, tried on one that is stored: a wrong one would lock out everybody who has a second factor.
async fn secrets_key(config: &Config, db: &Db) -> anyhow::Result<SecretsKey> {
    let path = config.secrets_key_file();
    let secrets = SecretsKey::load_or_create(&path, &SystemRandom::new()).with_context(|| {
        format!(
            "the key of the TOTP secrets, {} (AUTH_SECRETS_KEY_FILE), cannot be used",
            path.display()
        )
    })?;
    if let Some((portal_user_id, sealed)) = db::totp::any_secret(db).await? {
        secrets.open(portal_user_id, &sealed)?;
    }
    Ok(secrets)
}

async fn checkpoint_worker(config: &Config, db: &Db) -> anyhow::Result<CheckpointWorker> {
    let key = audit_checkpoint::load_or_create_key(&config.audit_signing_key_file(), &SystemRandom::new())
        .context("the key that signs the audit log (AUDIT_SIGNING_KEY_FILE) cannot be used")?;
    let every = Duration::from_secs(config.audit.audit_checkpoint_seconds.into());
    CheckpointWorker::new(db.clone(), key, config.audit_checkpoint_file(), every)
        .await
        .context("the checkpoints of the audit log cannot be read")
}

async fn publish(db: &Db, signer: &Signer) -> anyhow::Result<()> {
    let key = signer.public_key();
    let published = SigningKey {
        kid: key.kid.clone(),
        public_key: key.public_key,
    };
    let outcome = signing_keys::publish(db, published, Actor::named("auth")).await;
    match outcome.context("the signing key cannot be published")? {
        Published::Added => tracing::info!(kid = key.kid, "a new signing key is published"),
        Published::AlreadyThere => {}
        Published::Retired => bail!(
            "the signing key {} is retired: remove AUTH_SIGNING_KEY_FILE to make a new one",
            key.kid
        ),
    }
    Ok(())
}

fn verifier(config: &TokenConfig, db: &Db) -> Verifier {
    let db = db.clone();
    Verifier::new(&config.token_issuer, &config.token_audience, move || {
        let db = db.clone();
        Box::pin(async move { jwks::published_keys(&db).await.map_err(|error| error.to_string()) })
    })
}
