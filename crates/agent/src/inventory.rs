//! Tells the product what the VPN server has in store for its VPN users: on start, and whenever its files have changed.

mod files;

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_api::{Inventory, InventoryBody};
use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval};

pub use files::{Files, ReadError};

use crate::client::{Answer, ApiClient};
use crate::clock;
use crate::config::Config;
use crate::files::replace;

/// Looks at the files for ever, and sends what has changed. Without any file to look at it does nothing.
pub async fn run(client: ApiClient, config: &Config) {
    let Some(files) = Files::of(&config.inventory) else {
        return std::future::pending().await;
    };
    client.health.has_inventory();
    let mut looks = interval(Duration::from_secs(config.inventory.poll_seconds));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut teller = Teller {
        client,
        memory: config.state_dir.join("inventory"),
        told: None,
        refused: false,
        said: String::new(),
    };
    loop {
        looks.tick().await;
        let look = files.clone();
        match tokio::task::spawn_blocking(move || look.read()).await {
            Ok(Ok(inventory)) => teller.tell(inventory).await,
            // Half of it would be taken for all of it: the product keeps what it was told before.
            Ok(Err(error)) => teller.complain(&format!("{error:#}")),
            Err(error) => teller.complain(&error.to_string()),
        }
    }
}

/// What the product knows, and how it is told more.
struct Teller {
    client: ApiClient,
    /// Holds when the last inventory was taken, so that the next one is later even if the clock was set back.
    memory: PathBuf,
    told: Option<Inventory>,
    /// It did not take what it was told.
    refused: bool,
    /// The last complaint: each is made once, not at every look.
    said: String,
}

impl Teller {
    async fn tell(&mut self, inventory: Inventory) {
        if self.told.as_ref() == Some(&inventory) {
            // A refusal is not over because the files are the same.
            if !self.refused {
                self.said.clear();
                self.client.health.inventory_unchanged();
            }
            return;
        }
        let request = match self.body(&inventory) {
            Ok(body) => self
                .client
                .request(Method::PUT, "/inventory")
                .header(CONTENT_TYPE, "application/json")
                .header(CONTENT_ENCODING, "zstd")
                .header("prefer", "respond-async")
                .body(body),
            Err(error) => return self.complain(&format!("{error:#}")),
        };
        match self.client.send(request).await {
            Answer::Accepted(_) => {
                tracing::info!(
                    certificates = inventory.certificates.len(),
                    ccds = inventory.ccds.len(),
                    routes = inventory.routes.len(),
                    "The product has the inventory."
                );
                self.said.clear();
                self.refused = false;
                let entries = inventory.certificates.len() + inventory.ccds.len() + inventory.routes.len();
                self.client.health.inventory_told(entries);
                self.told = Some(inventory);
            }
            Answer::Later(_, why) => self.complain(&why),
            Answer::Refused(status, why) => {
                self.complain(&format!("the product refuses it: {status}: {why}"));
                self.refused = true;
                // The same again would be refused again; a changed one is tried.
                self.told = Some(inventory);
            }
        }
    }

    fn body(&self, inventory: &Inventory) -> anyhow::Result<Vec<u8>> {
        let now = clock::now();
        let body = InventoryBody {
            server_id: &self.client.server_id,
            sent_at: now,
            taken_at: self.next_taken_at(now)?,
            inventory,
        };
        Ok(zstd::encode_all(serde_json::to_vec(&body)?.as_slice(), 3)?)
    }

    /// Whole milliseconds, as they are sent.
    fn next_taken_at(&self, now: OffsetDateTime) -> anyhow::Result<OffsetDateTime> {
        let now = now.replace_millisecond(now.millisecond())?;
        let last = std::fs::read_to_string(&self.memory).ok();
        let last = last.and_then(|text| OffsetDateTime::from_unix_timestamp_nanos(text.trim().parse().ok()?).ok());
        let taken_at = last.map_or(now, |last| now.max(last + time::Duration::MILLISECOND));
        replace(&self.memory, taken_at.unix_timestamp_nanos().to_string().as_bytes())?;
        Ok(taken_at)
    }

    fn complain(&mut self, why: &str) {
        self.client.health.inventory_fails(why);
        if why != self.said {
            tracing::warn!(
                why,
                "The product does not have the newest inventory; it keeps the one before, and it is tried again."
            );
            why.clone_into(&mut self.said);
        }
    }
}

/// A path of a configuration is relative to where the daemon runs; where that is not said, to the configuration itself.
pub(crate) fn beside(config: &Path, path: &str) -> PathBuf {
    config.parent().unwrap_or(Path::new("/")).join(path)
}
