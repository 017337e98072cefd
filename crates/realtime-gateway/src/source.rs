//! Where the sessions are read from before the stream is followed: the live cache, or else the database.

use anyhow::Context;
use db::{Db, live_session};
use uuid::Uuid;

use crate::live_cache::LiveCache;
use crate::view::Seed;

/// Sessions of one page from the database.
const PAGE: i64 = 2_000;

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) cache: LiveCache,
    pub(crate) db: Db,
}

impl Source {
    /// Every active session. `from_truth`: from the database even if the cache is there.
    ///
    /// # Errors
    /// When neither can be read.
    pub(crate) async fn load(&self, from_truth: bool) -> anyhow::Result<Vec<Seed>> {
        if !from_truth {
            match self.cache.load().await {
                Ok(Some(seeds)) => return Ok(seeds),
                Ok(None) => tracing::info!("the live cache is not complete; the sessions are read from the database"),
                Err(error) => {
                    tracing::warn!(%error, "Redis does not answer; the sessions are read from the database");
                }
            }
        }
        self.read_database().await.context("the sessions cannot be read")
    }

    async fn read_database(&self) -> Result<Vec<Seed>, db::Error> {
        let (mut after, mut seeds) = (Uuid::nil(), Vec::new());
        loop {
            let (page, last) = live_session::active_page(&self.db, after, PAGE).await?;
            seeds.extend(page.iter().map(|session| Seed {
                id: session.id,
                version: u32::try_from(session.version).unwrap_or_default(),
                server_instance: session.server_instance.clone(),
                json: session.to_json(),
            }));
            match last {
                Some(last) => after = last,
                None => return Ok(seeds),
            }
        }
    }
}
