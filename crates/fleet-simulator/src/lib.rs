//! Simulates VPN servers over the real agent API: demo data, load, and replays of recorded OpenVPN daemons.

pub mod agent;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod keys;
pub mod load;
pub mod plan;
pub mod recording;

use std::future::pending;
use std::io::{ErrorKind, Write};

use tokio::sync::watch;

/// Waits until `stop` turns true; for ever when nobody can turn it any more.
async fn requested(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        pending().await
    }
}

/// Writes a line; whoever reads may stop reading.
fn printed(out: &mut impl Write, line: &str) -> anyhow::Result<()> {
    match writeln!(out, "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
