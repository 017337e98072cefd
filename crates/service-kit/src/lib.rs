//! Runs a service: configuration, telemetry, HTTP with health and metrics, background workers, ordered shutdown.
//!
//! ```no_run
//! # #[derive(serde::Deserialize, garde::Validate)] #[garde(allow_unvalidated)] struct Config {}
//! # async fn build(_: Config) -> anyhow::Result<service_kit::Service> { Ok(service_kit::Service::new()) }
//! fn main() -> std::process::ExitCode {
//!     service_kit::run("ingest", build)
//! }
//! ```
//!
//! What every service gets: `/healthz`, `/readyz`, `/metrics`, `/api-docs/<service>/`, request ids, problem+json,
//! security headers, JSON logs with trace ids, W3C trace context and an exit that finishes what is in hand.

mod api_docs;
mod client_ip;
pub mod clock;
pub mod config;
mod edge;
mod exchange;
mod health;
mod http;
mod json;
mod methods;
mod metrics;
mod problem;
pub mod rate_limit;
mod request_id;
mod running;
mod service;
mod shutdown;
mod start;
mod telemetry;
pub mod trace;
mod workers;

pub use client_ip::client_ip;
pub use config::{ConfigError, KitConfig, LogFormat, load_config};
pub use json::Json;
pub use problem::{Problem, ProblemBody};
pub use request_id::RequestId;
pub use running::{Running, StopError};
pub use service::Service;
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use start::{StartError, run, start};
pub use telemetry::init_cli_logging;
