//! The command `fleet-simulator`.

use clap::Parser;
use fleet_simulator::cli::Cli;
use tracing_subscriber::EnvFilter;

// One thread: a simulator must leave the machine to what it tests.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("LOG_LEVEL").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Cli::parse().run().await
}
