//! `agent`: stands beside an OpenVPN daemon and tells the product of its sessions.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use agent::config::Config;
use agent::management::Address;
use agent::{check, hook, local, log, run};

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
    /// Check the server's OpenVPN configuration and the agent's own; print what to add where. Fails when something is missing
    Check {
        /// The server's configuration; not needed where there is only one in /etc/openvpn
        #[arg(long)]
        openvpn_config: Option<PathBuf>,
        #[arg(long, default_value = "/etc/openvpn-telemetry/agent.toml")]
        config: PathBuf,
    },
    /// Show what the running agent knows; fails when sessions do not arrive
    Status {
        #[arg(long, default_value = "/etc/openvpn-telemetry/agent.toml")]
        config: PathBuf,
        /// For other programs
        #[arg(long)]
        json: bool,
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
        Action::Check { openvpn_config, config } => finish(check(openvpn_config, &config)),
        Action::Status { config, json } => finish(status(&config, json)),
    }
}

fn start(path: &std::path::Path) -> anyhow::Result<()> {
    // Set by systemd when standard error is the journal.
    let complaints = log::begin(std::env::var_os("JOURNAL_STREAM").is_some());
    let config = Config::load(path)?;
    runtime()?.block_on(run::run(config, complaints))
}

#[expect(clippy::print_stdout, reason = "a command-line tool prints its answer")]
fn status(path: &std::path::Path, json: bool) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    let address = Address::parse(&config.local.listen).context("[local] listen is off in the configuration")?;
    let report = runtime()?.block_on(local::ask(&address))?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{}", report.to_text()),
    }
    anyhow::ensure!(report.is_well(), "sessions do not arrive: see above");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command-line tool prints its answer")]
fn check(openvpn_config: Option<PathBuf>, config: &std::path::Path) -> anyhow::Result<()> {
    let outcome = runtime()?.block_on(check::check(openvpn_config, config));
    print!("{}", outcome.to_text());
    anyhow::ensure!(outcome.is_good(), "something is missing: see above");
    Ok(())
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
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
