//! From `main` to the end of a service.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use garde::Validate;
use metrics_exporter_prometheus::BuildError;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{ConfigError, Entries, KitConfig};
use crate::health::Health;
use crate::http::{self, Site};
use crate::metrics;
use crate::running::Running;
use crate::service::Service;
use crate::shutdown::Shutdown;
use crate::telemetry::Telemetry;
use crate::workers::Workers;

const TELEMETRY_FLUSH: Duration = Duration::from_secs(2);

/// Why a service did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address} (HTTP_ADDR)")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The metrics recorder could not be installed.
    #[error("cannot record metrics")]
    Metrics(#[from] BuildError),
}

/// The whole life of a service: reads its configuration, sets up telemetry, builds it, serves until SIGTERM or SIGINT or
/// until a part of it fails, and ends it in order. Failure to start and a failed part give a non-zero exit code and
/// one line that says why.
pub fn run<C, B>(service: &'static str, build: B) -> ExitCode
where
    C: DeserializeOwned + Validate,
    C::Context: Default,
    B: AsyncFnOnce(C) -> anyhow::Result<Service>,
{
    let (kit, config) = match read_config() {
        Ok(configs) => configs,
        Err(error) => return refuse(service, &error),
    };
    let telemetry = match Telemetry::install(service, &kit) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(service, &error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(service, &error),
    };
    let exit = runtime.block_on(live(service, kit, async || build(config).await));
    runtime.shutdown_timeout(Duration::from_millis(100));
    telemetry.flush(TELEMETRY_FLUSH);
    exit
}

/// Starts a built service inside a running tokio runtime; `HTTP_ADDR` may name port 0. Tests use it directly.
///
/// # Errors
/// [`StartError`], with nothing left running.
pub async fn start(service: &'static str, built: Service, config: &KitConfig) -> Result<Running, StartError> {
    let recorder = metrics::install(service)?;
    let asked = config.http_addr.unwrap_or(built.default_address);
    let refused = |source| StartError::Listen { address: asked, source };
    let listener = TcpListener::bind(asked).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (stopping, stopped) = Shutdown::pair();
    let (stop_workers, workers_stopped) = Shutdown::pair();
    let health = Health {
        checks: built.checks,
        stopping: stopped,
        metrics: recorder.clone(),
        runtime: Handle::current(),
    };
    let timeout = config.shutdown_timeout();
    let site = Site {
        service,
        routes: built.http,
        health,
    };
    let server = http::serve(listener, site, config, timeout / 2).map_err(refused)?;
    Ok(Running {
        address,
        handle: server.handle(),
        server: tokio::spawn(server),
        stopping,
        workers: Workers::start(built.workers, &workers_stopped),
        stop_workers,
        hooks: built.hooks,
        upkeep: tokio::spawn(metrics::upkeep(recorder)),
        timeout,
    })
}

fn read_config<C>() -> Result<(KitConfig, C), ConfigError>
where
    C: DeserializeOwned + Validate,
    C::Context: Default,
{
    let entries = Entries::from_process()?;
    Ok((entries.read()?, entries.read()?))
}

/// Logging may not be set up yet, so the sentence goes to standard error as it is.
fn refuse(service: &str, error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "{service}: {error}");
    ExitCode::FAILURE
}

async fn live(service: &'static str, kit: KitConfig, build: impl AsyncFnOnce() -> anyhow::Result<Service>) -> ExitCode {
    match try_live(service, &kit, build).await {
        Ok(exit) => exit,
        Err(error) => {
            tracing::error!(cause = format!("{error:#}"), "the service did not start");
            ExitCode::FAILURE
        }
    }
}

async fn try_live(
    service: &'static str,
    kit: &KitConfig,
    build: impl AsyncFnOnce() -> anyhow::Result<Service>,
) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let built = tokio::select! {
        built = build() => built?,
        name = signals.next() => {
            tracing::info!(signal = name, "stopped before it was built");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut running = start(service, built, kit).await?;
    tracing::info!(address = %running.address(), version = env!("CARGO_PKG_VERSION"), "the service runs");
    let mut exit = tokio::select! {
        name = signals.next() => {
            tracing::info!(signal = name, "the service is stopping");
            ExitCode::SUCCESS
        }
        reason = running.failed() => {
            tracing::error!(reason, "the service is stopping because a part of it ended");
            ExitCode::FAILURE
        }
    };
    if let Err(error) = running.stop().await {
        tracing::error!(reason = %error, "the service did not stop cleanly");
        exit = ExitCode::FAILURE;
    }
    tracing::info!("the service has stopped");
    Ok(exit)
}

/// The signals that ask a service to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
