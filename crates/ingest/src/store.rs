//! Hands what a request wants stored over to the batcher, and waits for it.

use bus::EncodedRequest;
use bus::proto::RejectedEvent;
use service_kit::Problem;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::State;
use crate::batcher::{Job, StoreError};
use crate::intake::PartLimits;
use crate::memory::Reservation;
use crate::outcomes::Outcome;

/// What one request wants stored.
pub(crate) struct Submission {
    pub(crate) part_ids: Vec<Uuid>,
    pub(crate) parts: Vec<EncodedRequest>,
    pub(crate) rejected: Vec<RejectedEvent>,
    pub(crate) memory: Reservation,
    /// Whether the answer waits for the processor.
    pub(crate) wait: bool,
}

/// A request that is on disk.
pub(crate) enum Stored {
    Processed(Outcome),
    /// To be processed.
    Accepted,
}

impl State {
    /// Everything up to the hand-over happens without a pause, and everything after it in the batcher: a client that goes
    /// away cannot leave a request half stored.
    ///
    /// # Errors
    /// 503 unless every message is acknowledged.
    pub(crate) async fn store(&self, submission: Submission) -> Result<Stored, Problem> {
        let Submission {
            part_ids,
            parts,
            rejected,
            memory,
            wait,
        } = submission;
        if parts.is_empty() && rejected.is_empty() {
            return Ok(Stored::Accepted);
        }
        let waiter = if wait && !parts.is_empty() {
            self.waiters.register(part_ids)
        } else {
            None
        };
        let (done, acknowledged) = oneshot::channel();
        let job = Job {
            parts,
            rejected,
            done,
            memory,
        };
        self.queue.put(job).map_err(|error| self.not_stored(error))?;
        acknowledged
            .await
            .unwrap_or(Err(StoreError::Unavailable))
            .map_err(|error| self.not_stored(error))?;
        let Some(waiter) = waiter else {
            return Ok(Stored::Accepted);
        };
        match waiter.wait(self.limits.result_wait()).await {
            Some(outcome) => Ok(Stored::Processed(outcome)),
            None => {
                metrics::counter!("ingest_outcomes_late_total").increment(1);
                Ok(Stored::Accepted)
            }
        }
    }

    pub(crate) fn part_limits(&self) -> PartLimits {
        PartLimits {
            max_events: self.limits.ingest_message_max_events,
            max_bytes: self.limits.ingest_message_max_bytes,
            max_event_bytes: self.max_message_bytes,
        }
    }
}
