//! `audit verify` proves an audit log, in the database or exported; `audit public-key` shows the key that signs it.
//!
//! A program of its own, so that an auditor runs it on a machine that has nothing of the product: no service, no secret.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool answers there"
)]

mod arguments;
mod export;
mod json_export;
mod keys;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The log is not as it was written.
const TAMPERED: u8 = 1;
/// It could not be told.
const FAILED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Verify(what) => verify::run(what).await,
        Command::PublicKey { file } => keys::of_private_key_file(&file).map(verify::Outcome::Good),
    };
    match outcome {
        Ok(verify::Outcome::Good(sentence)) => {
            println!("{sentence}");
            ExitCode::SUCCESS
        }
        Ok(verify::Outcome::Tampered(sentence)) => {
            println!("{sentence}");
            ExitCode::from(TAMPERED)
        }
        Err(error) => {
            eprintln!("audit: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
