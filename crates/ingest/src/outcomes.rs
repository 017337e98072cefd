//! Requests that wait for the processor's counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::proto::{RefusedEvent, RequestOutcome, RequestOutcomes};
use futures_util::{Stream, StreamExt};
use service_kit::Shutdown;
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

/// What became of a request, over all messages it was split into.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) sessions_created: u64,
    pub(crate) sessions_updated: u64,
    pub(crate) duplicates: u64,
    pub(crate) refused: Vec<RefusedEvent>,
}

/// The requests that wait, by the ids of their parts. Bounded; cheap to clone.
#[derive(Clone)]
pub(crate) struct Waiters {
    waiting: Arc<Mutex<HashMap<Uuid, Shared>>>,
    limit: usize,
}

/// What the parts of one request have in common.
type Shared = Arc<Mutex<Progress>>;

struct Progress {
    parts_left: usize,
    outcome: Outcome,
    done: Option<oneshot::Sender<Outcome>>,
}

/// One waiting request; it no longer waits when this is dropped.
pub(crate) struct Waiter {
    waiters: Waiters,
    parts: Vec<Uuid>,
    done: oneshot::Receiver<Outcome>,
}

impl Waiters {
    pub(crate) fn at_most(limit: usize) -> Self {
        Self {
            waiting: Arc::default(),
            limit,
        }
    }

    /// Waits for the outcomes of these parts; `None` when too many requests wait already. Register before publishing.
    pub(crate) fn register(&self, parts: Vec<Uuid>) -> Option<Waiter> {
        let (sender, done) = oneshot::channel();
        let progress = Progress {
            parts_left: parts.len(),
            outcome: Outcome::default(),
            done: Some(sender),
        };
        let progress = Arc::new(Mutex::new(progress));
        let mut waiting = self.lock();
        if waiting.len() >= self.limit {
            return None;
        }
        waiting.extend(parts.iter().map(|part| (*part, Arc::clone(&progress))));
        drop(waiting);
        Some(Waiter {
            waiters: self.clone(),
            parts,
            done,
        })
    }

    /// Passes outcomes on to those who wait. A part counts once, however often it is delivered.
    pub(crate) async fn follow(
        self,
        mut outcomes: impl Stream<Item = RequestOutcomes> + Unpin,
        shutdown: Shutdown,
    ) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                message = outcomes.next() => match message {
                    Some(message) => message.outcomes.into_iter().for_each(|outcome| self.pass_on(outcome)),
                    None => anyhow::bail!("the subscription to outcomes has ended"),
                },
            }
        }
    }

    fn pass_on(&self, outcome: RequestOutcome) {
        let part = Uuid::from_slice(&outcome.request_id).unwrap_or_default();
        // Late outcomes are normal: their request was answered 202.
        let Some(progress) = self.lock().remove(&part) else {
            return;
        };
        progress.lock().unwrap_or_else(PoisonError::into_inner).add(outcome);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Shared>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().len()
    }
}

impl Progress {
    fn add(&mut self, part: RequestOutcome) {
        self.outcome.sessions_created += u64::from(part.sessions_created);
        self.outcome.sessions_updated += u64::from(part.sessions_updated);
        self.outcome.duplicates += u64::from(part.duplicates);
        self.outcome.refused.extend(part.refused);
        self.parts_left -= 1;
        if self.parts_left == 0
            && let Some(done) = self.done.take()
        {
            // Nobody may be there any more.
            let _ = done.send(std::mem::take(&mut self.outcome));
        }
    }
}

impl Waiter {
    /// The outcome of all parts; `None` when it does not come in time.
    pub(crate) async fn wait(mut self, at_most: Duration) -> Option<Outcome> {
        timeout(at_most, &mut self.done).await.ok()?.ok()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.waiters.lock();
        for part in &self.parts {
            waiting.remove(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u128, created: u32) -> RequestOutcome {
        let request_id = Uuid::from_u128(number).as_bytes().to_vec();
        RequestOutcome {
            request_id,
            sessions_created: created,
            duplicates: 1,
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn the_parts_of_a_request_are_summed_and_count_once() {
        let waiters = Waiters::at_most(10);
        let waiter = waiters.register(vec![Uuid::from_u128(1), Uuid::from_u128(2)]).unwrap();
        for outcome in [part(1, 3), part(1, 3), part(9, 9), part(2, 4)] {
            waiters.pass_on(outcome);
        }
        let outcome = waiter.wait(Duration::from_secs(5)).await.unwrap();
        assert_eq!((outcome.sessions_created, outcome.duplicates), (7, 2));
        assert_eq!(waiters.len(), 0);
    }

    #[tokio::test]
    async fn a_request_that_gives_up_leaves_nothing_behind() {
        let waiters = Waiters::at_most(10);
        let waiter = waiters.register(vec![Uuid::from_u128(1)]).unwrap();
        assert_eq!(waiter.wait(Duration::from_millis(1)).await, None);
        drop(waiters.register(vec![Uuid::from_u128(2)]));
        assert_eq!(waiters.len(), 0);
    }

    #[test]
    fn more_than_the_limit_do_not_wait() {
        let waiters = Waiters::at_most(1);
        let first = waiters.register(vec![Uuid::from_u128(1)]);
        assert!(first.is_some() && waiters.register(vec![Uuid::from_u128(2)]).is_none());
    }
}
