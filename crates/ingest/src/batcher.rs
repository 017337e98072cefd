//! Requests that arrive together share JetStream messages: a synced publish costs the same for one event as for many.

mod group;

use std::sync::Arc;
use std::time::Instant;

use bus::proto::RejectedEvent;
use bus::{Bus, EncodedRequest, PublishError};
use service_kit::Shutdown;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::config::Limits;
use crate::memory::Reservation;
use group::Group;

/// What one request wants stored: all of it, or its agent is told to send it again.
pub(crate) struct Job {
    pub(crate) parts: Vec<EncodedRequest>,
    pub(crate) rejected: Vec<RejectedEvent>,
    pub(crate) done: oneshot::Sender<Result<(), StoreError>>,
    /// Held until it is stored.
    pub(crate) memory: Reservation,
}

/// Why a request is not known to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// JetStream does not acknowledge.
    Unavailable,
    /// The stream has no room: the processor is behind.
    Full,
    /// Too many requests wait here.
    QueueFull,
}

/// Where handlers put their jobs. Once a job is here, it is carried out whatever becomes of its request.
#[derive(Clone)]
pub(crate) struct Queue(mpsc::Sender<Job>);

impl Queue {
    /// # Errors
    /// [`StoreError::QueueFull`] at once, instead of waiting.
    pub(crate) fn put(&self, job: Job) -> Result<(), StoreError> {
        self.0.try_send(job).map_err(|_| StoreError::QueueFull)?;
        metrics::gauge!("ingest_queue_requests").increment(1);
        Ok(())
    }
}

pub(crate) struct Batcher {
    jobs: mpsc::Receiver<Job>,
    bus: Bus,
    limits: Limits,
    turns: Arc<Semaphore>,
    publishing: JoinSet<()>,
}

impl Batcher {
    pub(crate) fn new(bus: Bus, limits: &Limits) -> (Queue, Self) {
        let (sender, jobs) = mpsc::channel(limits.ingest_queue_requests);
        let turns = Arc::new(Semaphore::new(limits.ingest_publishes_in_flight));
        (
            Queue(sender),
            Self {
                jobs,
                bus,
                limits: limits.clone(),
                turns,
                publishing: JoinSet::new(),
            },
        )
    }

    /// Works until shutdown is requested, then until nothing is left.
    pub(crate) async fn run(mut self, shutdown: Shutdown) -> anyhow::Result<()> {
        loop {
            let job = tokio::select! {
                () = shutdown.requested() => break,
                job = self.jobs.recv() => job,
                // Keeps the set small.
                Some(_) = self.publishing.join_next() => continue,
            };
            let Some(job) = job else { break };
            self.gather_and_publish(job).await;
        }
        self.jobs.close();
        while let Some(job) = self.jobs.recv().await {
            self.gather_and_publish(job).await;
        }
        while self.publishing.join_next().await.is_some() {}
        Ok(())
    }

    async fn gather_and_publish(&mut self, first: Job) {
        let mut group = Group::new(&self.limits);
        group.add(first);
        let turn = self.gather(&mut group).await;
        let bus = self.bus.clone();
        self.publishing.spawn(publish(bus, group, turn));
    }

    /// Takes what arrives within the linger, and for as long as all turns to publish are taken.
    async fn gather(&mut self, group: &mut Group) -> Option<OwnedSemaphorePermit> {
        let linger = sleep(self.limits.linger());
        tokio::pin!(linger);
        let mut lingered = false;
        loop {
            tokio::select! {
                biased;
                Some(job) = self.jobs.recv(), if !group.is_full() => group.add(job),
                () = &mut linger, if !lingered => lingered = true,
                // Never closed, so there is always a permit in the end.
                turn = Arc::clone(&self.turns).acquire_owned(), if lingered || group.is_full() => return turn.ok(),
            }
        }
    }
}

async fn publish(bus: Bus, group: Group, _turn: Option<OwnedSemaphorePermit>) {
    let started = Instant::now();
    let requests = group.requests() as f64;
    metrics::histogram!("ingest_message_requests_size").record(requests);
    metrics::histogram!("ingest_message_events_size").record(group.events() as f64);
    group.store(&bus).await;
    metrics::gauge!("ingest_queue_requests").decrement(requests);
    metrics::histogram!("ingest_publish_duration_seconds").record(started.elapsed().as_secs_f64());
}

impl From<PublishError> for StoreError {
    fn from(error: PublishError) -> Self {
        metrics::counter!("ingest_publish_failures_total").increment(1);
        tracing::warn!(cause = cause(&error), %error, "a message was not stored");
        match error {
            PublishError::Full(_) => Self::Full,
            PublishError::Unavailable(_) | PublishError::TooLarge { .. } => Self::Unavailable,
        }
    }
}

fn cause(error: &PublishError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}
