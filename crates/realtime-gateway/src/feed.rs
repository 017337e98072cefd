//! Follows the stream of session changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bus::{Bus, DeltaFeed, PositionedDeltas, RealtimeState};
use service_kit::Shutdown;
use tokio::time::sleep;

use crate::hub::Hub;
use crate::live::Live;
use crate::source::Source;

/// Time that a round takes for each socket: rounds that follow each other faster would only make each other late.
const PER_SOCKET: Duration = Duration::from_micros(20);
/// Pause before the stream is opened again.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct Feed {
    pub(crate) hub: Arc<Hub>,
    pub(crate) bus: Bus,
    pub(crate) source: Source,
    /// Whether changes arrive.
    pub(crate) following: Arc<AtomicBool>,
    pub(crate) gather: Duration,
    pub(crate) replay_bytes: usize,
    /// What the hub is up to; `None` when it must be read anew.
    pub(crate) known: Option<Known>,
    /// The hub and the database differ: the cache is not asked, and nobody can come back to what was before.
    pub(crate) distrusted: bool,
}

/// How far the stream was followed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    epoch: u64,
    /// The sequence to come.
    next: u64,
}

/// Why the stream is not followed any longer.
enum Stop {
    Shutdown,
    /// The sessions must be read anew.
    Distrusted,
}

impl Feed {
    pub(crate) async fn run(mut self, shutdown: Shutdown) -> anyhow::Result<()> {
        loop {
            let outcome = tokio::select! {
                outcome = self.follow(&shutdown) => outcome,
                () = shutdown.requested() => return Ok(()),
            };
            self.following.store(false, Ordering::Release);
            match outcome {
                Ok(Stop::Shutdown) => return Ok(()),
                Ok(Stop::Distrusted) => {
                    self.known = None;
                    self.distrusted = true;
                }
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "session changes do not arrive");
                    tokio::select! {
                        () = sleep(PAUSE) => {}
                        () = shutdown.requested() => return Ok(()),
                    }
                }
            }
        }
    }

    async fn follow(&mut self, shutdown: &Shutdown) -> anyhow::Result<Stop> {
        let state = self.bus.realtime_state().await?;
        let goes_on = |known: &Known| {
            known.epoch == state.epoch && known.next >= state.first && known.next <= state.last.saturating_add(1)
        };
        let (from, fresh) = match self.known.filter(goes_on) {
            Some(known) => (known.next, None),
            None => {
                let fresh = self.begin(&state).await?;
                (fresh.first, Some(fresh))
            }
        };
        let mut feed = self.bus.deltas_from(from).await?;
        anyhow::ensure!(
            self.bus.realtime_state().await?.epoch == state.epoch,
            "the stream was made again meanwhile"
        );
        let next = match fresh {
            Some(fresh) => self.catch_up(&mut feed, &state, fresh).await?,
            None => from,
        };
        self.following.store(true, Ordering::Release);
        self.pass_on(&mut feed, state.epoch, next, shutdown).await
    }

    /// Reads the sessions. What the stream holds from before is followed too, so that clients of another gateway can come
    /// back here.
    async fn begin(&self, state: &RealtimeState) -> anyhow::Result<Building> {
        let seeds = self.source.load(self.distrusted).await?;
        let first = if self.distrusted { state.last + 1 } else { state.first };
        let until = self.bus.realtime_state().await?;
        anyhow::ensure!(until.epoch == state.epoch, "the stream was made again meanwhile");
        tracing::info!(sessions = seeds.len(), position = state.last, "the sessions were read");
        Ok(Building {
            live: Live::new(state, first, seeds, self.replay_bytes),
            first,
            until: until.last,
        })
    }

    /// Takes what was stored until the sessions were read; then they are shown. Gives the sequence to come.
    async fn catch_up(&mut self, feed: &mut DeltaFeed, state: &RealtimeState, fresh: Building) -> anyhow::Result<u64> {
        let Building { mut live, first, until } = fresh;
        let mut next = first;
        while next <= until {
            let message = feed.next().await?;
            if next == first && message.sequence > first && message.sequence <= state.last + 1 {
                // The oldest ones have aged out since they were counted; the sessions that were read know of them.
                live.begin_with(message.sequence);
                next = message.sequence;
            }
            in_order(next, &message)?;
            next += 1;
            live.take(message, Instant::now());
        }
        metrics::counter!("realtime_begun_anew_total").increment(1);
        self.hub.install(live);
        self.distrusted = false;
        self.known = Some(Known {
            epoch: state.epoch,
            next,
        });
        Ok(next)
    }

    /// Takes what comes.
    async fn pass_on(
        &mut self,
        feed: &mut DeltaFeed,
        epoch: u64,
        mut next: u64,
        shutdown: &Shutdown,
    ) -> anyhow::Result<Stop> {
        let mut wakes = Wakes::new(self.gather);
        loop {
            wakes.pause = self.gather.max(PER_SOCKET * self.hub.sockets());
            let message = tokio::select! {
                () = wakes.due() => {
                    self.hub.wake();
                    wakes.done();
                    continue;
                }
                message = feed.next() => message?,
                () = self.hub.distrusted.notified() => return Ok(Stop::Distrusted),
                () = shutdown.requested() => return Ok(Stop::Shutdown),
            };
            in_order(next, &message)?;
            next += 1;
            self.known = Some(Known { epoch, next });
            self.hub.change(|live| live.take(message, Instant::now()));
            wakes.want();
        }
    }
}

fn in_order(next: u64, message: &PositionedDeltas) -> anyhow::Result<()> {
    anyhow::ensure!(
        message.sequence == next,
        "the stream has a gap before {}",
        message.sequence
    );
    Ok(())
}

/// Wakes the sockets at once after a quiet time, and at most so often.
struct Wakes {
    pause: Duration,
    last: Instant,
    wanted: bool,
}

impl Wakes {
    fn new(pause: Duration) -> Self {
        Self {
            pause,
            last: Instant::now(),
            wanted: false,
        }
    }

    fn want(&mut self) {
        self.wanted = true;
    }

    fn done(&mut self) {
        self.wanted = false;
        self.last = Instant::now();
    }

    /// Never, when nothing is wanted.
    async fn due(&self) {
        if !self.wanted {
            return std::future::pending().await;
        }
        tokio::time::sleep_until((self.last + self.pause).into()).await;
    }
}

/// A life of the stream that is not complete yet.
struct Building {
    live: Live,
    /// The first sequence to follow.
    first: u64,
    /// The sequence with which it is complete.
    until: u64,
}
