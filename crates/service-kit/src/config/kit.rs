//! What every service can be told, whatever it does.

use std::net::SocketAddr;
use std::time::Duration;

use garde::Validate;
use serde::Deserialize;

use crate::client_ip::TrustedProxies;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Text, for people.
    Text,
}

/// The variables that the kit itself reads.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct KitConfig {
    /// `HTTP_ADDR`: address and port to listen on; the service's own default when not set.
    pub http_addr: Option<SocketAddr>,
    /// `HTTP_WORKERS`: threads that serve HTTP.
    #[serde(default = "defaults::http_workers")]
    #[garde(range(min = 1, max = 256))]
    pub http_workers: usize,
    /// `LOG_LEVEL`: a level, or `tracing` filter directives.
    #[serde(default = "defaults::log_level")]
    #[garde(custom(filter_directives))]
    pub log_level: String,
    /// `LOG_FORMAT`: `json` or `text`.
    #[serde(default = "defaults::log_format")]
    pub log_format: LogFormat,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: base URL of an OTLP/HTTP receiver; no traces are exported when not set.
    #[garde(inner(url))]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// `TRACE_SAMPLE_RATIO`: share of the traces begun here that are exported, 0 to 1.
    #[serde(default = "defaults::trace_sample_ratio")]
    #[garde(range(min = 0.0, max = 1.0))]
    pub trace_sample_ratio: f64,
    /// `SHUTDOWN_TIMEOUT_SECONDS`: bound of the whole ordered shutdown.
    #[serde(default = "defaults::shutdown_timeout_seconds")]
    #[garde(range(min = 1, max = 600))]
    pub shutdown_timeout_seconds: u64,
    /// `MAX_JSON_BYTES`: largest JSON request body; a route may set its own limit.
    #[serde(default = "defaults::max_json_bytes")]
    #[garde(range(min = 1024))]
    pub max_json_bytes: usize,
    /// `TRUSTED_PROXIES`: networks of the proxies whose `X-Forwarded-For` is believed, separated by commas, or `none`.
    #[serde(default = "defaults::trusted_proxies")]
    #[garde(custom(networks))]
    pub trusted_proxies: String,
}

impl KitConfig {
    /// Bound of the whole ordered shutdown.
    pub(crate) fn shutdown_timeout(&self) -> Duration {
        Duration::from_secs(self.shutdown_timeout_seconds)
    }

    /// The proxies whose `X-Forwarded-For` is believed.
    pub(crate) fn trusted_proxies(&self) -> TrustedProxies {
        self.trusted_proxies.parse().expect("it has been validated")
    }
}

impl Default for KitConfig {
    fn default() -> Self {
        Self {
            http_addr: None,
            http_workers: defaults::http_workers(),
            log_level: defaults::log_level(),
            log_format: defaults::log_format(),
            otel_exporter_otlp_endpoint: None,
            trace_sample_ratio: defaults::trace_sample_ratio(),
            shutdown_timeout_seconds: defaults::shutdown_timeout_seconds(),
            max_json_bytes: defaults::max_json_bytes(),
            trusted_proxies: defaults::trusted_proxies(),
        }
    }
}

fn networks(value: &str, _: &()) -> garde::Result {
    value.parse::<TrustedProxies>().map(|_| ()).map_err(|error| {
        garde::Error::new(format!(
            "{error}: networks such as 10.0.0.0/8 separated by commas, or none"
        ))
    })
}

fn filter_directives(value: &str, _: &()) -> garde::Result {
    value
        .parse::<tracing_subscriber::EnvFilter>()
        .map(|_| ())
        .map_err(garde::Error::new)
}

mod defaults {
    use super::LogFormat;

    pub(super) fn http_workers() -> usize {
        2
    }

    pub(super) fn log_level() -> String {
        "info".to_owned()
    }

    pub(super) fn log_format() -> LogFormat {
        LogFormat::Json
    }

    pub(super) fn trace_sample_ratio() -> f64 {
        1.0
    }

    pub(super) fn shutdown_timeout_seconds() -> u64 {
        20
    }

    pub(super) fn trusted_proxies() -> String {
        "127.0.0.1/32,::1/128".to_owned()
    }

    pub(super) fn max_json_bytes() -> usize {
        1024 * 1024
    }
}
