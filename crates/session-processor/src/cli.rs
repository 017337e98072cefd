//! The operator's commands.
#![expect(clippy::print_stdout, reason = "a command-line tool answers on standard output")]

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use db::Db;
use db::apply::{Difference, rebuild};

use crate::config::CommandConfig;
use crate::live::LiveCache;

#[derive(Debug, Parser)]
#[command(
    name = "session-processor",
    about = "Turns events into sessions; without a command, serves."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Recomputes the sessions of a server, or of all, from the stored events and shows every difference.
    Rebuild {
        /// Name of the server; all when it is left out.
        #[arg(long)]
        server: Option<String>,
        /// Store the recomputed sessions.
        #[arg(long)]
        apply: bool,
    },
}

/// Runs a command. Exit code 0: the stored sessions are what the events give, or were made so; 1: they differ; 2: it failed.
pub fn run(command: Command) -> ExitCode {
    service_kit::init_cli_logging();
    let Command::Rebuild { server, apply } = command;
    match rebuild_sessions(server.as_deref(), apply) {
        Ok(differences) if differences.is_empty() || apply => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn rebuild_sessions(server: Option<&str>, apply: bool) -> anyhow::Result<Vec<Difference>> {
    let config: CommandConfig = service_kit::load_config()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let differences = runtime.block_on(async {
        let db = Db::connect(&config.database)
            .await
            .context("connecting to the database")?;
        let differences = rebuild(&db, server, apply).await.context("rebuilding")?;
        if apply && !differences.is_empty() {
            let live = LiveCache::connect(&config.live).await?;
            live.forget_completeness()
                .await
                .context("the sessions are stored, but the live cache was not told")?;
        }
        anyhow::Ok(differences)
    })?;
    for difference in &differences {
        println!(
            "{} {} {}",
            difference.server_name, difference.session_id, difference.common_name
        );
        println!("  stored:   {:?}", difference.stored);
        println!("  computed: {:?}", difference.computed);
    }
    println!(
        "{} sessions differ{}",
        differences.len(),
        if apply { " and were stored anew" } else { "" }
    );
    Ok(differences)
}
