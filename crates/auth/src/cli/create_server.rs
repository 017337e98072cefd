use anyhow::{bail, ensure};
use clap::Args;
use db::audit::Actor;
use db::servers_registry::{self, NewServer, RegisteredServer};

use super::{connect, say};
use crate::config::{self, CommandConfig};

#[derive(Debug, Args)]
pub struct CreateServer {
    /// The agent's `server_id`: 1-63 letters, digits, dots, underscores and hyphens.
    name: String,
    /// The daemon runs with `duplicate-cn`: one common name may have several sessions at once.
    #[arg(long)]
    duplicate_cn: bool,
    #[arg(long, default_value = "")]
    description: String,
}

impl CreateServer {
    pub(super) async fn run(self, actor: Actor) -> anyhow::Result<()> {
        ensure!(
            servers_registry::is_valid_name(&self.name),
            "{:?} is no name for a VPN server: use 1-63 letters, digits, dots, underscores and hyphens",
            self.name
        );
        let config: CommandConfig = config::load()?;
        let db = connect(&config.database).await?;
        let new = NewServer {
            name: self.name.clone(),
            description: self.description,
            duplicate_cn: self.duplicate_cn,
        };
        if servers_registry::create(&db, new, actor).await?.is_some() {
            say(format_args!("VPN server {} is registered.", self.name));
            return Ok(());
        }
        match servers_registry::find_by_name(&db, &self.name).await? {
            Some(server) => accept_existing(&server, self.duplicate_cn),
            None => bail!("VPN server {} cannot be registered", self.name),
        }
    }
}

fn accept_existing(server: &RegisteredServer, duplicate_cn: bool) -> anyhow::Result<()> {
    ensure!(
        server.retired_at.is_none(),
        "VPN server {} is retired; its name stays with its history",
        server.name
    );
    say(format_args!(
        "VPN server {} exists already; nothing was changed.",
        server.name
    ));
    if server.duplicate_cn != duplicate_cn {
        say(format_args!(
            "Note that it is registered with duplicate-cn {}.",
            if server.duplicate_cn { "on" } else { "off" }
        ));
    }
    Ok(())
}
