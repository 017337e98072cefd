//! `session-processor` serves; `session-processor rebuild` recomputes sessions from the stored events.

use std::process::ExitCode;

use clap::Parser;
use session_processor::cli::Arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Arguments::parse().command {
        None => service_kit::run("session-processor", session_processor::build),
        Some(command) => session_processor::cli::run(command),
    }
}
