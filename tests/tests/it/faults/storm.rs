//! A fleet that sends while something fails again and again.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::event::Event;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use test_support::{Agent, Stack, eventually_within};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

use super::delivery::{History, deliver};

/// Longer than a service or server takes to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends histories and lets failures strike in between, each at a random moment of its share of the events: nobody sends
/// into the next share before the failure of the last has struck.
pub(super) struct Storm {
    /// Moments and sizes of batches follow from it.
    pub(super) seed: u64,
    pub(super) strikes: usize,
    pub(super) largest_batch: usize,
}

/// How it went.
pub(super) struct Weather {
    pub(super) events: usize,
    pub(super) batches: usize,
    /// Batches that had to be sent more than once.
    pub(super) resent: usize,
}

impl Display for Weather {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            events,
            batches,
            resent,
        } = self;
        write!(
            formatter,
            "{events} events in {batches} batches, {resent} of them sent more than once"
        )
    }
}

/// What senders and failures share.
#[derive(Clone)]
struct Progress {
    acknowledged: Arc<AtomicUsize>,
    struck: watch::Sender<usize>,
    share: usize,
}

impl Storm {
    /// Each history is sent by its own agent, agents in turn through the replicas of ingest. `strike` is told which failure
    /// it is, from 0, and calls back as soon as it has struck; then it repairs.
    pub(super) async fn rage(
        &self,
        stack: &Stack,
        ingests: usize,
        histories: &[History],
        strike: impl AsyncFnMut(usize, &dyn Fn()),
    ) -> Weather {
        LocalSet::new()
            .run_until(self.rage_here(stack, ingests, histories, strike))
            .await
    }

    async fn rage_here(
        &self,
        stack: &Stack,
        ingests: usize,
        histories: &[History],
        mut strike: impl AsyncFnMut(usize, &dyn Fn()),
    ) -> Weather {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let events: usize = histories.iter().map(|history| history.events.len()).sum();
        let progress = Progress {
            acknowledged: Arc::default(),
            struck: watch::Sender::new(0),
            share: events / self.strikes,
        };
        let mut senders = JoinSet::new();
        for (index, history) in histories.iter().enumerate() {
            let agent = stack.agent(&history.server);
            agent.key().await;
            let batches = history.batches(&mut rng, self.largest_batch);
            let (agent, server) = (agent.through(index % ingests), history.server.clone());
            senders.spawn_local(send(agent, server, batches, progress.clone()));
        }
        for number in 0..self.strikes {
            let moment = number * progress.share + rng.random_range(0..progress.share);
            progress.reaches(moment).await;
            strike(number, &|| {
                progress.struck.send_replace(number + 1);
            })
            .await;
        }
        let sent: Vec<(usize, usize)> = senders.join_all().await;
        Weather {
            events,
            batches: sent.iter().map(|(batches, _)| batches).sum(),
            resent: sent.iter().map(|(_, resent)| resent).sum(),
        }
    }
}

impl Progress {
    async fn reaches(&self, events: usize) {
        eventually_within(PATIENCE, "enough events to be acknowledged", async || {
            (self.acknowledged.load(Ordering::Relaxed) >= events).then_some(())
        })
        .await;
    }

    async fn may_go_on(&self) {
        let mut struck = self.struck.subscribe();
        let within_share = |struck: &usize| self.acknowledged.load(Ordering::Relaxed) <= (struck + 1) * self.share;
        struck.wait_for(within_share).await.expect("the sender is ours");
    }
}

/// How many batches were sent, and how many of them more than once.
async fn send(agent: Agent, server: String, batches: Vec<Vec<Event>>, progress: Progress) -> (usize, usize) {
    let mut resent = 0;
    for batch in &batches {
        progress.may_go_on().await;
        let attempts = deliver(&agent, &server, batch).await;
        resent += usize::from(attempts > 1);
        progress.acknowledged.fetch_add(batch.len(), Ordering::Relaxed);
    }
    (batches.len(), resent)
}
