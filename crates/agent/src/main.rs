//! `agent`: stands beside an OpenVPN daemon and tells the product of its sessions.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use agent::config::Config;
use agent::{hook, run};

#[derive(Debug, Parser)]
#[command(
    name = "agent",
    version,
    about = "Tells OpenVPN Telemetry of the sessions of the OpenVPN server on this host"
)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Watch and send until stopped
    Run {
        #[arg(long, default_value = "/etc/openvpn-telemetry/agent.toml")]
        config: PathBuf,
    },
    /// For client-connect and client-disconnect: leave what the daemon tells for the agent
    Hook {
        /// The agent's state_dir
        #[arg(long, default_value = "/var/lib/openvpn-telemetry-agent")]
        state_dir: PathBuf,
        /// The file that OpenVPN names; not used
        #[arg(hide = true)]
        file: Vec<String>,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        // Before anything slow: OpenVPN waits.
        Action::Hook { state_dir, .. } => hook::run(&state_dir),
        Action::Run { config } => finish(start(&config)),
    }
}

fn start(path: &std::path::Path) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let config = Config::load(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run::run(config))
}

#[expect(clippy::print_stderr, reason = "a command-line tool says why it failed")]
fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
