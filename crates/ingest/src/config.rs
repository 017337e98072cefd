//! The settings of the service; all of them, read here only.

use std::num::NonZeroU32;

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
    #[garde(dive)]
    pub limits: Limits,
}

/// What ingest does with requests, and how much of it.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
#[serde(default)]
pub struct Limits {
    /// How long an answer waits for the processor's counts, milliseconds; then it is 202.
    #[garde(range(max = 60_000))]
    pub ingest_result_wait_ms: u64,
    /// How long a request waits for others to share its JetStream message, microseconds.
    #[garde(range(max = 100_000))]
    pub ingest_linger_micros: u64,
    /// Largest request body, after decompression, bytes.
    #[garde(range(min = 1_024))]
    pub ingest_max_body_bytes: usize,
    /// Most events of one request.
    #[garde(range(min = 1))]
    pub ingest_max_events: usize,
    /// Most certificates, static addresses and routes of one inventory, together.
    #[garde(range(min = 1))]
    pub ingest_max_inventory_entries: usize,
    /// How long a body may take to arrive, seconds.
    #[garde(range(min = 1))]
    pub ingest_body_timeout_seconds: u64,
    /// Memory for the bodies of all requests in hand, bytes; more are answered 503.
    #[garde(range(min = 1_048_576))]
    pub ingest_bodies_max_bytes: usize,
    /// Events a second that one VPN server may send in the long run.
    pub ingest_events_per_second: NonZeroU32,
    /// Events that one VPN server may send at once.
    pub ingest_events_burst: NonZeroU32,
    /// Requests that may wait to be published; more are answered 503.
    #[garde(range(min = 1))]
    pub ingest_queue_requests: usize,
    /// Requests that may wait for the processor's counts at once; more are answered 202.
    pub ingest_waiting_requests: usize,
    /// Groups of messages published at once.
    #[garde(range(min = 1, max = 256))]
    pub ingest_publishes_in_flight: usize,
    /// Most events of one JetStream message.
    #[garde(range(min = 1))]
    pub ingest_message_max_events: usize,
    /// Size that a JetStream message of several requests stays below, bytes.
    #[garde(range(min = 1_024))]
    pub ingest_message_max_bytes: usize,
    /// How long a key is taken from the cache without asking the database, seconds. Revocations do not wait for it.
    #[garde(range(min = 1))]
    pub ingest_key_cache_seconds: u64,
    /// How long a key is taken from the cache while the database is away, seconds.
    pub ingest_key_stale_seconds: u64,
    /// Keys in the cache, and as many unknown ones.
    #[garde(range(min = 1))]
    pub ingest_key_cache_entries: usize,
    /// Polls for commands that may wait at once; more are answered 503.
    #[garde(range(min = 1))]
    pub ingest_command_polls: usize,
    /// Polls of one VPN server that may wait at once; with more, the oldest is answered 429.
    #[garde(range(min = 1))]
    pub ingest_command_polls_per_server: usize,
    /// How long a poll may wait for commands, whatever its agent wishes, seconds.
    #[garde(range(min = 1, max = 60))]
    pub ingest_command_wait_seconds: u64,
    /// How often commands that the bus has not told of are looked for, milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub ingest_command_look_ms: u64,
    /// How long an agent watches whether a VPN user comes back after a termination, seconds.
    #[garde(range(min = 1, max = 120))]
    pub ingest_command_watch_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ingest_result_wait_ms: 2_000,
            ingest_linger_micros: 1_500,
            ingest_max_body_bytes: 5 << 20,
            ingest_max_events: 10_000,
            ingest_max_inventory_entries: 50_000,
            ingest_body_timeout_seconds: 30,
            ingest_bodies_max_bytes: 256 << 20,
            ingest_events_per_second: const { NonZeroU32::new(5_000).expect("it is not zero") },
            ingest_events_burst: const { NonZeroU32::new(50_000).expect("it is not zero") },
            ingest_queue_requests: 4_096,
            ingest_waiting_requests: 16_384,
            ingest_publishes_in_flight: 4,
            ingest_message_max_events: 2_000,
            ingest_message_max_bytes: 512 << 10,
            ingest_key_cache_seconds: 30,
            ingest_key_stale_seconds: 3_600,
            ingest_key_cache_entries: 10_000,
            ingest_command_polls: 16_384,
            ingest_command_polls_per_server: 4,
            ingest_command_wait_seconds: 60,
            ingest_command_look_ms: 1_000,
            ingest_command_watch_seconds: 30,
        }
    }
}

impl Limits {
    pub(crate) fn result_wait(&self) -> Duration {
        Duration::from_millis(self.ingest_result_wait_ms)
    }

    pub(crate) fn linger(&self) -> Duration {
        Duration::from_micros(self.ingest_linger_micros)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.ingest_body_timeout_seconds)
    }

    pub(crate) fn command_look(&self) -> Duration {
        Duration::from_millis(self.ingest_command_look_ms)
    }

    pub(crate) fn key_fresh(&self) -> Duration {
        Duration::from_secs(self.ingest_key_cache_seconds)
    }

    pub(crate) fn key_stale(&self) -> Duration {
        Duration::from_secs(self.ingest_key_stale_seconds)
    }
}
