//! Who may come in: login, access tokens and their keys, portal users, API keys of agents.

mod api_key;
pub mod cli;
pub mod config;
mod error;
mod hashing;
mod jwks;
mod login;
mod me;
mod origin;
mod password;
mod random;
pub mod routes;
mod signing_key_file;
mod tokens;
mod username;

use access_token::{Guard, Signer, Verifier};
use actix_web::web::Data;
use anyhow::{Context, bail};
use db::Db;
use db::audit::Actor;
use db::signing_keys::{self, Published, SigningKey};
use ring::rand::SystemRandom;
use service_kit::Service;

use crate::config::{Config, TokenConfig};
use crate::hashing::Hasher;
use crate::tokens::Tokens;

const DEFAULT_PORT: u16 = 18_482;

/// What the handlers share.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) hasher: Hasher,
    pub(crate) tokens: Tokens,
}

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
    let hasher = Hasher::new(config.auth_hash_workers, config.auth_hash_queue).context("passwords cannot be hashed")?;
    let guard = Guard::new(routes::ROUTES, verifier(&config.tokens, &db));
    let tokens = Tokens {
        signer,
        config: config.tokens,
    };
    let state = Data::new(State {
        db: db.clone(),
        hasher,
        tokens,
    });
    let service = Service::new()
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
