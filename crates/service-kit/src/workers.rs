//! The background tasks of a service.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::service::WorkerStart;
use crate::shutdown::Shutdown;
use crate::telemetry::panics;

/// Tasks that should end only when told.
pub(crate) struct Workers(JoinSet<Ended>);

/// How a worker ended.
pub(crate) struct Ended {
    pub(crate) name: &'static str,
    /// What went wrong, if anything.
    pub(crate) failure: Option<String>,
}

impl Workers {
    /// Starts them all.
    pub(crate) fn start(starts: Vec<(&'static str, WorkerStart)>, shutdown: &Shutdown) -> Self {
        let mut tasks = JoinSet::new();
        for (name, start) in starts {
            let shutdown = shutdown.clone();
            let span = tracing::info_span!("worker", worker = name);
            tasks.spawn(run(name, start, shutdown).instrument(span));
        }
        Self(tasks)
    }

    /// The next one to end; never, if there is none.
    pub(crate) async fn next_end(&mut self) -> Ended {
        match self.0.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => Ended {
                name: "unknown",
                failure: Some(error.to_string()),
            },
            None => std::future::pending().await,
        }
    }

    /// Waits for those that still run, and gives those that ended badly.
    pub(crate) async fn finish(&mut self) -> Vec<Ended> {
        let mut failed = Vec::new();
        while !self.0.is_empty() {
            let ended = self.next_end().await;
            if ended.failure.is_some() {
                failed.push(ended);
            }
        }
        failed
    }
}

async fn run(name: &'static str, start: WorkerStart, shutdown: Shutdown) -> Ended {
    let work = AssertUnwindSafe(async move { start(shutdown).await });
    let (outcome, panic) = panics::captured(work.catch_unwind()).await;
    let failure = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(_) => Some(panic.unwrap_or_else(|| "it panicked".to_owned())),
    };
    Ended { name, failure }
}
