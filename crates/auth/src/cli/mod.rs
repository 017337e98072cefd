//! The command line: what an operator does before anybody can log in. Messages go to standard error; standard output
//! carries nothing but the secret that a script asked for.

mod create_admin;
mod create_key;
mod create_server;
mod os_user;
mod reset_password;
mod revoke_key;

use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use db::Db;
use db::audit::Actor;
use ring::rand::SystemRandom;

use crate::password::Password;

/// The auth service. Without a command it serves; its settings come from the environment.
#[derive(Debug, Parser)]
#[command(name = "auth", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the first admin, unless there is one.
    CreateAdmin(create_admin::CreateAdmin),
    /// Set a new password for a portal user and end all logins of it.
    ResetPassword(reset_password::ResetPassword),
    /// Register a VPN server, unless it is registered.
    CreateServer(create_server::CreateServer),
    /// Create an API key for a VPN server's agent and print it; it is not shown again.
    CreateKey(create_key::CreateKey),
    /// Revoke an API key; every ingest replica refuses it within a second.
    RevokeKey(revoke_key::RevokeKey),
}

/// Runs a command to its end. What goes wrong is one line on standard error.
pub fn run(command: Command) -> ExitCode {
    match execute(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("auth: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let actor = Actor::named(format!("cli:{}", os_user::current()));
    runtime.block_on(async {
        match command {
            Command::CreateAdmin(command) => command.run(actor).await,
            Command::ResetPassword(command) => command.run(actor).await,
            Command::CreateServer(command) => command.run(actor).await,
            Command::CreateKey(command) => command.run(actor).await,
            Command::RevokeKey(command) => command.run(actor).await,
        }
    })
}

async fn connect(config: &db::DatabaseConfig) -> anyhow::Result<Db> {
    Db::connect(config)
        .await
        .context("cannot reach PostgreSQL (DATABASE_URL)")
}

#[expect(clippy::print_stderr, reason = "a command speaks to the person who typed it")]
fn say(message: impl std::fmt::Display) {
    eprintln!("{message}");
}

/// Prints a secret that is not shown again: alone on its line, the only thing on standard output.
#[expect(clippy::print_stdout, reason = "scripts read the secret from standard output")]
fn hand_over(secret: &str) {
    println!("{secret}");
}

/// The password to set, and whether nobody knows it yet. `variable` may bring one.
fn choose_password(variable: &str, given: Option<Password>) -> anyhow::Result<(Password, bool)> {
    let Some(password) = given.filter(|password| !password.reveal().is_empty()) else {
        return Ok((Password::generate(&SystemRandom::new())?, true));
    };
    let lacks = password.lacks();
    ensure!(lacks.is_empty(), "{variable} needs {}", lacks.join(", "));
    Ok((password, false))
}
