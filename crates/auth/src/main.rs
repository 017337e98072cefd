//! `auth` serves; `auth create-admin | reset-password | create-server | create-key | revoke-key` are the operator's commands.

use std::process::ExitCode;

use auth::cli::Arguments;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Arguments::parse().command {
        None => service_kit::run("auth", auth::build),
        Some(command) => auth::cli::run(command),
    }
}
