use anyhow::{Context, ensure};
use clap::Args;
use db::api_keys::{self, Creation, NewApiKey};
use db::audit::Actor;
use db::servers_registry;
use ring::rand::SystemRandom;
use service_kit::clock;

use super::{connect, hand_over, say};
use crate::api_key;
use crate::config::{self, CommandConfig};

#[derive(Debug, Args)]
pub struct CreateKey {
    /// The VPN server whose agent will use the key.
    server: String,
    /// What the key is for, shown in lists.
    #[arg(long, default_value = "")]
    label: String,
}

impl CreateKey {
    pub(super) async fn run(self, actor: Actor) -> anyhow::Result<()> {
        let config: CommandConfig = config::load()?;
        let db = connect(&config.database).await?;
        let server = servers_registry::find_by_name(&db, &self.server).await?;
        let server =
            server.with_context(|| format!("there is no VPN server {:?}; create-server registers one", self.server))?;
        ensure!(
            server.retired_at.is_none(),
            "VPN server {} is retired: its agent would be refused",
            server.name
        );
        let key = api_key::generate(&SystemRandom::new())?;
        let new = NewApiKey {
            key_id: key.key_id.clone(),
            server_id: server.id,
            secret_sha256: key.secret_sha256,
            label: self.label,
        };
        let created = api_keys::create(&db, new, clock::now(), actor).await?;
        ensure!(
            matches!(created, Creation::Created(_)),
            "VPN server {} has been retired meanwhile",
            server.name
        );
        say(format_args!(
            "API key {} of VPN server {}; it is not shown again:",
            key.key_id, server.name
        ));
        hand_over(&key.text);
        Ok(())
    }
}
