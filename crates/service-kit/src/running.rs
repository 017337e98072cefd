//! A service that runs, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::service::StopHook;
use crate::shutdown::ShutdownTrigger;
use crate::workers::{Ended, Workers};

/// A started service. Dropping it ends nothing in order: call [`Running::stop`].
pub struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) server: JoinHandle<io::Result<()>>,
    pub(crate) handle: ServerHandle,
    pub(crate) stopping: ShutdownTrigger,
    pub(crate) workers: Workers,
    pub(crate) stop_workers: ShutdownTrigger,
    pub(crate) hooks: Vec<(&'static str, StopHook)>,
    pub(crate) upkeep: JoinHandle<()>,
    pub(crate) timeout: Duration,
}

/// What did not end as it should have.
#[derive(Debug, Error)]
#[error("{}", .0.join("; "))]
pub struct StopError(Vec<String>);

impl Running {
    /// The address it listens on, with the port that a requested port 0 became.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves, with the reason, when a part ends that should run until it is told to stop; never otherwise.
    pub async fn failed(&mut self) -> String {
        tokio::select! {
            ended = self.workers.next_end() => told(ended),
            outcome = &mut self.server => match outcome {
                Ok(Err(error)) => format!("the HTTP server ended: {error}"),
                _ => "the HTTP server ended".to_owned(),
            },
        }
    }

    /// Ends everything in order: no longer ready, HTTP finishes what is in hand, workers are told and awaited, hooks
    /// run. All of it within the shutdown timeout, of which HTTP gets at most half.
    ///
    /// # Errors
    /// What failed or was not done in time; the rest has ended.
    pub async fn stop(mut self) -> Result<(), StopError> {
        let deadline = Instant::now() + self.timeout;
        let mut late = Vec::new();
        self.stopping.request();
        if timeout_at(deadline, self.handle.stop(true)).await.is_err() {
            late.push("HTTP requests were cut off".to_owned());
        }
        self.stop_workers.request();
        match timeout_at(deadline, self.workers.finish()).await {
            Ok(failed) => late.extend(failed.into_iter().map(told)),
            Err(_) => late.push("workers were cut off".to_owned()),
        }
        for (name, hook) in self.hooks {
            if timeout_at(deadline, hook()).await.is_err() {
                late.push(format!("{name} was cut off"));
            }
        }
        self.upkeep.abort();
        if late.is_empty() { Ok(()) } else { Err(StopError(late)) }
    }
}

fn told(ended: Ended) -> String {
    let Ended { name, failure } = ended;
    match failure {
        Some(failure) => format!("worker {name} failed: {failure}"),
        None => format!("worker {name} ended before it was told to"),
    }
}
