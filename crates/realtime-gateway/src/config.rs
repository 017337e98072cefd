//! The settings of the service; all of them, read here only.

use std::time::Duration;

use access_token::AccessConfig;
use bus::BusConfig;
use db::DatabaseConfig;
use db::server_health::Thresholds;
use garde::Validate;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct Config {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    #[serde(flatten)]
    pub bus: BusConfig,
    /// Redis holds the denylist, and the live cache.
    #[serde(flatten)]
    #[garde(dive)]
    pub access: AccessConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub tokens: TokenConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub health: HealthConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub realtime: RealtimeConfig,
}

/// Which access tokens are accepted.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default)]
pub struct TokenConfig {
    /// `TOKEN_ISSUER`: the same as that of auth.
    #[garde(length(min = 1))]
    pub token_issuer: String,
    /// `TOKEN_AUDIENCE`: the same as that of auth.
    #[garde(length(min = 1))]
    pub token_audience: String,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            token_issuer: "openvpn-telemetry".to_owned(),
            token_audience: "openvpn-telemetry-portal".to_owned(),
        }
    }
}

/// When a VPN server counts as silent; the same as that of query-api.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default)]
pub struct HealthConfig {
    /// `SERVER_SILENT_SECONDS`: one whose agent sends heartbeats.
    #[garde(range(min = 10, max = 86_400))]
    pub server_silent_seconds: u32,
    /// `SESSION_TIMEOUT_SECONDS`: one whose agent sends none.
    #[garde(range(min = 60, max = 604_800))]
    pub session_timeout_seconds: u32,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            server_silent_seconds: 180,
            session_timeout_seconds: 7_200,
        }
    }
}

impl HealthConfig {
    pub(crate) fn thresholds(&self) -> Thresholds {
        Thresholds {
            silent_with_heartbeats: time::Duration::seconds(self.server_silent_seconds.into()),
            silent_without_heartbeats: time::Duration::seconds(self.session_timeout_seconds.into()),
        }
    }
}

/// Sockets, their limits, and how changes reach them.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
#[serde(default)]
pub struct RealtimeConfig {
    /// `PORTAL_ORIGINS`: origins beside the gateway's own host that browsers may connect from, separated by commas.
    pub portal_origins: String,
    /// Sockets of one process; more are answered 503.
    #[garde(range(min = 1, max = 1_000_000))]
    pub realtime_max_connections: usize,
    /// How long a socket may stay without a token, seconds.
    #[garde(range(min = 1, max = 60))]
    pub realtime_auth_seconds: u64,
    /// Largest message from a client, bytes.
    #[garde(range(min = 1_024, max = 1_048_576))]
    pub realtime_max_frame_bytes: usize,
    /// Frames that may wait for a socket; when there are more it is told to begin anew.
    #[garde(range(min = 1, max = 100_000))]
    pub realtime_queue_frames: u64,
    /// How long one frame may take to be written, seconds; then the socket is closed.
    #[garde(range(min = 1, max = 60))]
    pub realtime_slow_seconds: u64,
    /// How often a socket is pinged, seconds; two pings without any answer and it is closed.
    #[garde(range(min = 1, max = 600))]
    pub realtime_ping_seconds: u64,
    /// Sessions of one page of a snapshot.
    #[garde(range(min = 1, max = 5_000))]
    pub realtime_page_sessions: usize,
    /// Bytes of past changes kept for clients that come back.
    #[garde(range(min = 65_536))]
    pub realtime_replay_bytes: usize,
    /// Changes are gathered for this long before the sockets are woken, milliseconds.
    #[garde(range(max = 1_000))]
    pub realtime_gather_ms: u64,
    /// How often the sessions are compared with the database, seconds.
    #[garde(range(min = 1, max = 3_600))]
    pub realtime_verify_seconds: u64,
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        Self {
            portal_origins: String::new(),
            realtime_max_connections: 10_000,
            realtime_auth_seconds: 5,
            realtime_max_frame_bytes: 16_384,
            realtime_queue_frames: 256,
            realtime_slow_seconds: 10,
            realtime_ping_seconds: 20,
            realtime_page_sessions: 500,
            realtime_replay_bytes: 32 << 20,
            realtime_gather_ms: 10,
            realtime_verify_seconds: 60,
        }
    }
}

impl RealtimeConfig {
    pub(crate) fn auth_timeout(&self) -> Duration {
        Duration::from_secs(self.realtime_auth_seconds)
    }

    pub(crate) fn slow_after(&self) -> Duration {
        Duration::from_secs(self.realtime_slow_seconds)
    }

    pub(crate) fn ping_interval(&self) -> Duration {
        Duration::from_secs(self.realtime_ping_seconds)
    }

    pub(crate) fn gather(&self) -> Duration {
        Duration::from_millis(self.realtime_gather_ms)
    }

    pub(crate) fn verify_interval(&self) -> Duration {
        Duration::from_secs(self.realtime_verify_seconds)
    }
}
