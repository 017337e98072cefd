//! The live sessions in Redis, as session-processor keeps them there.

use std::time::Duration;

use access_token::AccessConfig;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, RedisResult};
use serde::Deserialize;
use uuid::Uuid;

use crate::view::Seed;

/// Sessions of one request.
const CHUNK: usize = 500;

/// Read only; see `session-processor` for its keys.
#[derive(Clone)]
pub(crate) struct LiveCache {
    connection: ConnectionManager,
    prefix: String,
}

/// What this service must know of a session's JSON.
#[derive(Deserialize)]
struct Shown {
    server_instance: String,
}

impl LiveCache {
    /// Prepares the connection; Redis may come later.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn connect(config: &AccessConfig) -> anyhow::Result<Self> {
        let client = redis::Client::open(config.redis_url.as_str())?;
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(Duration::from_secs(2)))
            .set_number_of_retries(1);
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(client, settings)?,
            prefix: format!("{}:live:", config.redis_prefix),
        })
    }

    /// Whether it was filled since Redis lost its memory.
    ///
    /// # Errors
    /// When Redis is away.
    pub(crate) async fn is_complete(&self) -> RedisResult<bool> {
        self.connection.clone().exists(format!("{}complete", self.prefix)).await
    }

    /// Every active session; `None` when the cache does not hold them all.
    ///
    /// # Errors
    /// When Redis is away.
    pub(crate) async fn load(&self) -> RedisResult<Option<Vec<Seed>>> {
        if !self.is_complete().await? {
            return Ok(None);
        }
        let mut connection = self.connection.clone();
        let ids: Vec<String> = connection.zrange(format!("{}active", self.prefix), 0, -1).await?;
        let mut seeds = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let keys: Vec<String> = chunk.iter().map(|id| format!("{}session:{id}", self.prefix)).collect();
            let values: Vec<Option<String>> = connection.mget(keys).await?;
            for (id, value) in chunk.iter().zip(values) {
                match value.as_deref().and_then(|value| seed(id, value)) {
                    Some(seed) => seeds.push(seed),
                    None => return Ok(None),
                }
            }
        }
        // What was lost while it was read must not look like what was never there.
        Ok(self.is_complete().await?.then_some(seeds))
    }
}

/// A value is the version, a line break and the session's JSON.
fn seed(id: &str, value: &str) -> Option<Seed> {
    let (version, json) = value.split_once('\n')?;
    let shown: Shown = serde_json::from_str(json).ok()?;
    Some(Seed {
        id: Uuid::parse_str(id).ok()?,
        version: version.parse().ok()?,
        server_instance: shown.server_instance,
        json: json.to_owned(),
    })
}
