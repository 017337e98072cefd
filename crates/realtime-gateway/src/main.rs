//! `realtime-gateway` tells portal users what happens now: a snapshot of the active sessions, then every change.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    service_kit::run("realtime-gateway", realtime_gateway::build)
}
