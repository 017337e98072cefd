//! Polls that wait for commands: bounded, woken over the bus, and should the bus lose it, by a look into the database that is
//! one statement for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use db::Db;
use db::commands::{self, Waiting};
use futures_util::{Stream, StreamExt};
use service_kit::{Shutdown, clock};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::config::Limits;

/// Looks of single polls into the database at once.
const LOOKS: usize = 4;
/// How long the look for all of them may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// The polls that wait. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Polls(Arc<Inner>);

struct Inner {
    looks: Semaphore,
    at_all: usize,
    of_server: usize,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    next: u64,
    taken: usize,
    servers: HashMap<i32, Vec<Waiter>>,
}

struct Waiter {
    number: u64,
    denials_version: String,
    wake: Arc<Notify>,
}

/// As many polls wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// One poll's place; free again when this is dropped.
pub(crate) struct Place {
    polls: Polls,
    server_key: i32,
    number: u64,
    wake: Arc<Notify>,
}

impl Polls {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            looks: Semaphore::new(LOOKS),
            at_all: limits.ingest_command_polls,
            of_server: limits.ingest_command_polls_per_server,
            places: Mutex::default(),
        }))
    }

    /// Takes a place for a poll whose agent has this version of the denials. Where its server has too many, the oldest gives way: its
    /// agent may be long gone, which no connection tells.
    pub(crate) fn enter(&self, server_key: i32, denials_version: &str) -> Result<Place, NoRoom> {
        let mut places = self.lock();
        let full = places.servers.get_mut(&server_key);
        if let Some(waiters) = full.filter(|waiters| waiters.len() >= self.0.of_server) {
            waiters.remove(0).wake.notify_one();
            places.taken -= 1;
        }
        if places.taken >= self.0.at_all {
            return Err(NoRoom);
        }
        places.next += 1;
        places.taken += 1;
        metrics::gauge!("ingest_command_polls").set(places.taken as f64);
        let (number, wake) = (places.next, Arc::new(Notify::new()));
        places.servers.entry(server_key).or_default().push(Waiter {
            number,
            denials_version: denials_version.to_owned(),
            wake: Arc::clone(&wake),
        });
        Ok(Place {
            polls: self.clone(),
            server_key,
            number,
            wake,
        })
    }

    /// A turn to look into the database.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.looks.acquire().await.ok()
    }

    /// Wakes polls as the bus tells, until the service ends.
    pub(crate) async fn follow(
        self,
        mut waiting: impl Stream<Item = Vec<i32>> + Unpin,
        shutdown: Shutdown,
    ) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                servers = waiting.next() => match servers {
                    Some(servers) => servers.into_iter().for_each(|server| self.wake(server, |_| true)),
                    None => anyhow::bail!("the subscription to waiting commands has ended"),
                },
            }
        }
    }

    /// Looks into the database again and again, for what the bus has lost.
    pub(crate) async fn look(self, db: Db, every: Duration, shutdown: Shutdown) -> anyhow::Result<()> {
        let mut looks = interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_away = false;
        loop {
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                _ = looks.tick() => {}
            }
            let servers: Vec<i32> = self.lock().servers.keys().copied().collect();
            if servers.is_empty() {
                continue;
            }
            let found = timeout(LOOK_TIMEOUT, commands::waiting(&db, servers, clock::now())).await;
            match found {
                Ok(Ok(found)) => {
                    is_away = false;
                    found.iter().for_each(|waiting| self.wake_if_news(waiting));
                }
                failed if !is_away => {
                    is_away = true;
                    let error = failed.map_or_else(|late| late.to_string(), |error| format!("{error:?}"));
                    tracing::warn!(
                        error,
                        "waiting commands cannot be looked for; the bus still tells of them"
                    );
                }
                _ => {}
            }
        }
    }

    fn wake_if_news(&self, waiting: &Waiting) {
        self.wake(waiting.server_id, |waiter| {
            waiting.has_commands || waiter.denials_version != waiting.denials_version
        });
    }

    fn wake(&self, server_key: i32, wanted: impl Fn(&Waiter) -> bool) {
        if let Some(waiters) = self.lock().servers.get(&server_key) {
            let wanted = waiters.iter().filter(|waiter| wanted(waiter));
            wanted.for_each(|waiter| waiter.wake.notify_one());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Resolves when there may be something for this poll; at once if it was so since the last call.
    pub(crate) async fn woken(&mut self) {
        self.wake.notified().await;
    }

    /// Whether a newer poll has it now.
    pub(crate) fn is_lost(&self) -> bool {
        let places = self.polls.lock();
        let waiters = places.servers.get(&self.server_key);
        waiters.is_none_or(|waiters| waiters.iter().all(|waiter| waiter.number != self.number))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.polls.lock();
        let Some(waiters) = places.servers.get_mut(&self.server_key) else {
            return;
        };
        let before = waiters.len();
        waiters.retain(|waiter| waiter.number != self.number);
        let freed = before - waiters.len();
        if waiters.is_empty() {
            places.servers.remove(&self.server_key);
        }
        places.taken -= freed;
        metrics::gauge!("ingest_command_polls").set(places.taken as f64);
    }
}
