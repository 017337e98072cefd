use std::time::Duration;

use serde::Deserialize;

/// How a service reaches NATS, and how large the streams may grow. Every service of one stack has the same values.
#[derive(Debug, Clone, Deserialize)]
pub struct BusConfig {
    /// `nats://host:port`, several separated by commas.
    pub nats_url: String,
    /// First token of every subject and stream name, so that several stacks can share one NATS.
    #[serde(default = "default_namespace")]
    pub bus_namespace: String,
    /// Largest size of the telemetry stream in bytes; when it is reached, ingest answers 503.
    #[serde(default = "default_telemetry_max_bytes")]
    pub bus_telemetry_max_bytes: i64,
    /// Largest size of the stream of rejected events in bytes.
    #[serde(default = "default_rejected_max_bytes")]
    pub bus_rejected_max_bytes: i64,
    /// Largest size of the stream of session changes in bytes; it is in memory, and the oldest make room.
    #[serde(default = "default_realtime_max_bytes")]
    pub bus_realtime_max_bytes: i64,
    /// Copies of each stream in the JetStream cluster.
    #[serde(default = "default_replicas")]
    pub bus_replicas: usize,
    /// How long the first connection may take, seconds.
    #[serde(default = "default_connect_timeout")]
    pub nats_connect_timeout_seconds: u64,
    /// How long a publish waits for JetStream's acknowledgement, milliseconds.
    #[serde(default = "default_publish_timeout")]
    pub bus_publish_timeout_ms: u64,
    /// After how long an unacknowledged message is delivered again, seconds.
    #[serde(default = "default_ack_wait")]
    pub bus_ack_wait_seconds: u64,
}

impl BusConfig {
    /// The defaults, with this address and namespace.
    pub fn new(nats_url: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            nats_url: nats_url.into(),
            bus_namespace: namespace.into(),
            bus_telemetry_max_bytes: default_telemetry_max_bytes(),
            bus_rejected_max_bytes: default_rejected_max_bytes(),
            bus_realtime_max_bytes: default_realtime_max_bytes(),
            bus_replicas: default_replicas(),
            nats_connect_timeout_seconds: default_connect_timeout(),
            bus_publish_timeout_ms: default_publish_timeout(),
            bus_ack_wait_seconds: default_ack_wait(),
        }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.nats_connect_timeout_seconds)
    }

    pub(crate) fn publish_timeout(&self) -> Duration {
        Duration::from_millis(self.bus_publish_timeout_ms)
    }

    pub(crate) fn ack_wait(&self) -> Duration {
        Duration::from_secs(self.bus_ack_wait_seconds)
    }
}

fn default_namespace() -> String {
    "ovt".to_owned()
}

fn default_telemetry_max_bytes() -> i64 {
    4 << 30
}

fn default_rejected_max_bytes() -> i64 {
    512 << 20
}

fn default_realtime_max_bytes() -> i64 {
    64 << 20
}

fn default_replicas() -> usize {
    1
}

fn default_connect_timeout() -> u64 {
    10
}

fn default_publish_timeout() -> u64 {
    5_000
}

fn default_ack_wait() -> u64 {
    30
}
