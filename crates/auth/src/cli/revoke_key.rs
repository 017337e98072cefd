use anyhow::{Context, bail};
use bus::Bus;
use clap::Args;
use db::api_keys::{self, Revocation};
use db::audit::Actor;
use service_kit::clock;

use super::{connect, say};
use crate::config::{self, RevokeConfig};

#[derive(Debug, Args)]
pub struct RevokeKey {
    /// The 12 characters between `ovt_` and the secret.
    key_id: String,
}

impl RevokeKey {
    pub(super) async fn run(self, actor: Actor) -> anyhow::Result<()> {
        let config: RevokeConfig = config::load()?;
        let db = connect(&config.database).await?;
        match api_keys::revoke(&db, None, &self.key_id, clock::now(), actor).await? {
            Revocation::Revoked => say(format_args!("API key {} is revoked.", self.key_id)),
            Revocation::AlreadyRevoked => say(format_args!("API key {} was revoked already.", self.key_id)),
            Revocation::UnknownKey => bail!("there is no API key {:?}", self.key_id),
        }
        // Told again for a key that was revoked before: the first time may have ended before this point.
        tell_ingest(&config.bus, &self.key_id).await.context(
            "the key is revoked, but NATS could not be told: ingest accepts it until its cache forgets it (INGEST_KEY_CACHE_SECONDS)",
        )
    }
}

async fn tell_ingest(config: &bus::BusConfig, key_id: &str) -> anyhow::Result<()> {
    let bus = Bus::connect(config).await?;
    bus.publish_api_key_revoked(key_id).await?;
    Ok(())
}
