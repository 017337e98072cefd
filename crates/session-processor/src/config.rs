//! The settings of the service; all of them, read here only.

use std::time::Duration;

use bus::BusConfig;
use db::DatabaseConfig;
use garde::Validate;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct Config {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    #[serde(flatten)]
    pub bus: BusConfig,
    #[serde(flatten)]
    pub live: LiveConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub processor: ProcessorConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub usage: UsageConfig,
}

/// How bytes are counted and health is kept, off the path of the events.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default)]
pub struct UsageConfig {
    /// How often the bytes of open and recently ended sessions are counted and heartbeats are kept, seconds.
    #[garde(range(min = 1, max = 3_600))]
    pub usage_count_seconds: u64,
    /// How often every session that has changed is counted, seconds: late events of old sessions show after this.
    #[garde(range(min = 1, max = 86_400))]
    pub usage_count_all_seconds: u32,
    /// How long the health history of VPN servers is kept, days.
    #[garde(range(min = 1, max = 366))]
    pub health_samples_days: u16,
}

impl Default for UsageConfig {
    fn default() -> Self {
        Self {
            usage_count_seconds: 60,
            usage_count_all_seconds: 3_600,
            health_samples_days: 31,
        }
    }
}

impl UsageConfig {
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_secs(self.usage_count_seconds)
    }

    pub(crate) fn all_interval(&self) -> time::Duration {
        time::Duration::seconds(self.usage_count_all_seconds.into())
    }
}

/// Where the live cache is.
#[derive(Debug, Clone, Deserialize)]
pub struct LiveConfig {
    /// `redis://host:port/db`.
    pub redis_url: String,
    /// First part of every key, so that several stacks can share one Redis.
    #[serde(default = "default_prefix")]
    pub redis_prefix: String,
}

fn default_prefix() -> String {
    "ovt".to_owned()
}

/// How batches are formed and how long things may take.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
#[serde(default)]
pub struct ProcessorConfig {
    /// Transactions at once, each for the servers of its share; each holds a database connection.
    #[garde(range(min = 1, max = 16))]
    pub processor_lanes: usize,
    /// Most JetStream messages of one transaction.
    #[garde(range(min = 1, max = 5_000))]
    pub processor_batch_messages: usize,
    /// Payload bytes after which no further message joins a transaction.
    #[garde(range(min = 1_024))]
    pub processor_batch_bytes: usize,
    /// How long a transaction waits for further messages, microseconds.
    #[garde(range(max = 1_000_000))]
    pub processor_linger_micros: u64,
    /// How long a session may lack proof of life, and a server may be silent, seconds.
    #[garde(range(min = 1))]
    pub session_timeout_seconds: i64,
    /// How often timeouts are looked for, the streams are trimmed and the live cache is checked, seconds.
    #[garde(range(min = 1, max = 3_600))]
    pub processor_sweep_seconds: u64,
    /// VPN users whose ids each lane remembers.
    #[garde(range(min = 1))]
    pub processor_known_users: usize,
}

impl Default for ProcessorConfig {
    fn default() -> Self {
        Self {
            processor_lanes: 2,
            processor_batch_messages: 256,
            processor_batch_bytes: 1_048_576,
            processor_linger_micros: 2_000,
            session_timeout_seconds: 7_200,
            processor_sweep_seconds: 15,
            processor_known_users: 200_000,
        }
    }
}

impl ProcessorConfig {
    pub(crate) fn linger(&self) -> Duration {
        Duration::from_micros(self.processor_linger_micros)
    }

    pub(crate) fn sweep_interval(&self) -> Duration {
        Duration::from_secs(self.processor_sweep_seconds)
    }
}

/// What the commands need.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct CommandConfig {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    #[serde(flatten)]
    pub live: LiveConfig,
}
