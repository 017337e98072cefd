//! What all sockets share: the sessions, the latest frames, and the sign that there are new ones.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytestring::ByteString;
use tokio::sync::{Notify, watch};

use crate::live::Live;
use crate::log::Frame;
use crate::position::Position;
use crate::snapshot::{self, Snapshot};
use crate::status::Status;

/// For how long a snapshot of all sessions serves those who come after it; they get what has changed since from the log.
const SNAPSHOT_SERVES: Duration = Duration::from_millis(500);

/// A copy of the stream in memory. One for each process.
pub(crate) struct Hub {
    /// `None` until the sessions were read for the first time.
    live: RwLock<Option<Live>>,
    /// Which life of the stream that is; each new one makes everything void that sockets were told.
    generation: watch::Sender<u64>,
    /// Moves whenever there is something to send.
    tip: watch::Sender<u64>,
    status: watch::Sender<Status>,
    /// Asks the feed to read the sessions anew.
    pub(crate) distrusted: Notify,
    shared: Mutex<Option<Shared>>,
    page_sessions: usize,
}

/// A snapshot of all sessions, made once for many.
struct Shared {
    generation: u64,
    made: Instant,
    snapshot: Arc<Snapshot>,
}

/// What a socket finds when it looks for frames.
pub(crate) struct Found {
    pub(crate) frames: Vec<Arc<Frame>>,
    /// How many there are, these and more.
    pub(crate) behind: u64,
}

/// Where a client that comes back goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resumed {
    pub(crate) generation: u64,
    pub(crate) cursor: u64,
}

impl Hub {
    pub(crate) fn new(page_sessions: usize) -> Self {
        Self {
            live: RwLock::new(None),
            generation: watch::Sender::new(0),
            tip: watch::Sender::new(0),
            status: watch::Sender::new(Status::default()),
            distrusted: Notify::new(),
            shared: Mutex::new(None),
            page_sessions,
        }
    }

    /// Looks at the sessions; `None` while they are not known.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Live) -> T) -> Option<T> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().map(look)
    }

    /// Changes what is known, if anything is; does not wake the sockets.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Live) -> T) -> Option<T> {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.as_mut().map(change)
    }

    /// Puts another life in place: every socket begins anew.
    pub(crate) fn install(&self, fresh: Live) {
        self.status.send_modify(Status::go_live);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        self.generation.send_modify(|generation| *generation += 1);
        self.wake();
    }

    /// Lets the sockets look for frames.
    pub(crate) fn wake(&self) {
        self.tip.send_modify(|tip| *tip += 1);
    }

    /// Appends a frame for everybody, and wakes the sockets.
    pub(crate) fn tell(&self, text: impl FnOnce(Position) -> ByteString) {
        self.change(|live| live.tell(text(live.position)));
        self.wake();
    }

    /// Those that [`Self::wake`] wakes.
    pub(crate) fn sockets(&self) -> u32 {
        u32::try_from(self.tip.receiver_count()).unwrap_or(u32::MAX)
    }

    pub(crate) fn tip(&self) -> watch::Receiver<u64> {
        self.tip.subscribe()
    }

    /// 0 until the sessions are known.
    pub(crate) fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Keeps and tells how the gateway is doing, when that has changed.
    pub(crate) fn set_status(&self, status: &Status) {
        let changed = self.status.send_if_modified(|known| {
            let changed = !known.is_like(status);
            known.clone_from(status);
            changed
        });
        if changed {
            tracing::info!(status = status.name(), "the state of the live sessions has changed");
            self.tell(|position| status.frame(position));
        }
    }

    /// Where this socket should go on after a position; `None` when what follows is not all here.
    pub(crate) fn resume(&self, position: Position) -> Option<Resumed> {
        let generation = self.generation();
        let cursor = self.look(|live| live.log.after(position)).flatten()?;
        (generation == self.generation()).then_some(Resumed { generation, cursor })
    }

    /// The frames from a number on, at most so many; `None` when some that it needs are gone.
    pub(crate) fn frames(&self, generation: u64, from: u64, most: usize) -> Option<Found> {
        let found = self.look(|live| {
            let frames = live.log.read(from, most)?;
            let behind = live.log.end().saturating_sub(from);
            Some(Found { frames, behind })
        });
        found.flatten().filter(|_| generation == self.generation())
    }

    /// The sessions of these servers, or all; no older than the frame before `cursor` of that generation.
    pub(crate) fn snapshot(&self, rooms: &[String], seen: (u64, u64)) -> Option<Arc<Snapshot>> {
        if !rooms.is_empty() {
            return self.fresh_snapshot(rooms).map(Arc::new);
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let serves = |shared: &&Shared| {
            shared.generation == self.generation()
                && shared.made.elapsed() < SNAPSHOT_SERVES
                && (seen.0 != shared.generation || shared.snapshot.cursor >= seen.1)
        };
        if let Some(shared) = shared.as_ref().filter(serves) {
            return Some(Arc::clone(&shared.snapshot));
        }
        let snapshot = Arc::new(self.fresh_snapshot(rooms)?);
        *shared = Some(Shared {
            generation: snapshot.generation,
            made: Instant::now(),
            snapshot: Arc::clone(&snapshot),
        });
        Some(snapshot)
    }

    fn fresh_snapshot(&self, rooms: &[String]) -> Option<Snapshot> {
        // While the life is replaced in between, its number only comes out too old: then the socket begins anew.
        let generation = self.generation();
        let taken = self.look(|live| snapshot::take(live, rooms))?;
        Some(taken.into_pages(generation, rooms, self.page_sessions))
    }
}
