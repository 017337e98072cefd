//! The settings of the service; all of them, read here only.

use std::time::Duration;

use access_token::AccessConfig;
use bus::BusConfig;
use db::DatabaseConfig;
use garde::Validate;
use serde::Deserialize;

use crate::server_health::Thresholds;

/// What the service can be told.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct Config {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    #[serde(flatten)]
    pub bus: BusConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub access: AccessConfig,
    /// `DATABASE_READ_URL`: a replica to read from; `DATABASE_URL` when not set.
    #[serde(default)]
    pub database_read_url: Option<String>,
    /// `QUERY_TIMEOUT_SECONDS`: how long one query may run. Exports may take as long as they need.
    #[serde(default = "default_query_timeout")]
    #[garde(range(min = 1, max = 600))]
    pub query_timeout_seconds: u64,
    /// `EXPORT_CONNECTIONS`: exports that run at once; more are answered 503 after `DATABASE_CONNECT_TIMEOUT_SECONDS`.
    #[serde(default = "default_export_connections")]
    #[garde(range(min = 1, max = 100))]
    pub export_connections: u32,
    /// `TOKEN_ISSUER`: who signs the access tokens; the same as that of auth.
    #[serde(default = "default_issuer")]
    #[garde(length(min = 1))]
    pub token_issuer: String,
    /// `TOKEN_AUDIENCE`: whom the access tokens are for; the same as that of auth.
    #[serde(default = "default_audience")]
    #[garde(length(min = 1))]
    pub token_audience: String,
    /// `SERVER_SILENT_SECONDS`: a VPN server whose agent sends heartbeats is silent after this long without anything.
    #[serde(default = "default_server_silent")]
    #[garde(range(min = 10, max = 86_400))]
    pub server_silent_seconds: u32,
    /// `SESSION_TIMEOUT_SECONDS`: a VPN server whose agent sends no heartbeats is silent after this long; the same as that of
    /// session-processor.
    #[serde(default = "default_session_timeout")]
    #[garde(range(min = 60, max = 604_800))]
    pub session_timeout_seconds: u32,
    /// `TERMINATE_EXPIRES_SECONDS`: how long a request to end a session waits for its VPN server's agent.
    #[serde(default = "default_terminate_expires")]
    #[garde(range(min = 10, max = 86_400))]
    pub terminate_expires_seconds: u32,
    /// `USAGE_CACHE_SECONDS`: how old the dashboard's charts and the figures of today may be.
    #[serde(default = "default_usage_cache")]
    #[garde(range(max = 3_600))]
    pub usage_cache_seconds: u64,
}

impl Config {
    pub(crate) fn read_url(&self) -> &str {
        self.database_read_url.as_deref().unwrap_or(&self.database.database_url)
    }

    pub(crate) fn query_timeout(&self) -> Duration {
        Duration::from_secs(self.query_timeout_seconds)
    }

    pub(crate) fn usage_cache(&self) -> Duration {
        Duration::from_secs(self.usage_cache_seconds)
    }

    pub(crate) fn termination_patience(&self) -> time::Duration {
        time::Duration::seconds(self.terminate_expires_seconds.into())
    }

    pub(crate) fn thresholds(&self) -> Thresholds {
        Thresholds {
            silent_with_heartbeats: time::Duration::seconds(self.server_silent_seconds.into()),
            silent_without_heartbeats: time::Duration::seconds(self.session_timeout_seconds.into()),
        }
    }
}

fn default_query_timeout() -> u64 {
    10
}

fn default_export_connections() -> u32 {
    4
}

fn default_issuer() -> String {
    "openvpn-telemetry".to_owned()
}

fn default_audience() -> String {
    "openvpn-telemetry-portal".to_owned()
}

fn default_server_silent() -> u32 {
    180
}

fn default_session_timeout() -> u32 {
    7_200
}

fn default_terminate_expires() -> u32 {
    120
}

fn default_usage_cache() -> u64 {
    30
}
