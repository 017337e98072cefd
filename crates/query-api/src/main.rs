//! `query-api` answers what the portal asks: sessions, VPN users, VPN servers, identity at an instant, exports.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    service_kit::run("query-api", query_api::build)
}
