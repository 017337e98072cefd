//! The agent's core: observations in, events on disk out. One thread owns tracker and spool, so that whatever has been observed is
//! either on disk or has never happened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use agent_api::{Event, EventType};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::files::replace;
use crate::inbox;
use crate::spool::{Kind, Spool, SpoolError, read_from};
use crate::tracker::{Boot, Memory, Observation, Settings, Tracker};

mod question;

pub use question::CoreHandle;
use question::Question;

/// Hooks taken over at once.
const HOOKS_A_BATCH: usize = 500;

/// What stands in a record of the spool: an event and the life of the daemon it belongs to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spooled<E> {
    pub boot_id: Uuid,
    /// None before anything has told of the daemon's start.
    #[serde(default)]
    pub boot: Option<Boot>,
    pub event: E,
}

/// The agent's memory on disk; newer events in the spool are taken into it again at the start.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Checkpoint {
    /// Index of the first record that is not in it.
    next_index: u64,
    numbering: Option<(Uuid, u64)>,
    tracker: Memory,
}

/// What the rest of the agent may know of the core.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Index of the next record: what was appended is below it.
    pub next_index: u64,
    pub boot_id: Option<Uuid>,
    pub sessions: usize,
    pub spool_bytes: u64,
    pub dropped: u64,
    /// Seconds since 1970: the daemon's start.
    pub daemon_started_at: Option<i64>,
    pub daemon_version: Option<String>,
    pub dco: Option<bool>,
    /// Calls of hooks taken over since the agent's start.
    pub hooks: u64,
}

/// The core, before it runs.
#[derive(Debug)]
pub struct Core {
    tracker: Tracker,
    spool: Spool,
    folder: PathBuf,
    inbox: PathBuf,
    numbering: Option<(Uuid, u64)>,
    view: View,
    views: watch::Sender<View>,
    sent: watch::Receiver<u64>,
    checkpoint_at: u64,
    questions: Option<mpsc::Receiver<Question>>,
}

impl Core {
    /// Takes up where the last run ended, however it ended.
    ///
    /// # Errors
    /// When the state folder cannot be used.
    pub fn open(
        folder: &Path,
        inbox: PathBuf,
        mut spool: Spool,
        settings: Settings,
        sent: watch::Receiver<u64>,
    ) -> Result<(Self, watch::Receiver<View>), SpoolError> {
        let failed = |source| SpoolError::Io {
            path: folder.to_owned(),
            source,
        };
        let mut checkpoint = read_checkpoint(&folder.join("memory.json")).map_err(failed)?;
        spool.go_on_from(checkpoint.next_index.max(*sent.borrow()));
        catch_up(&mut checkpoint, folder, &spool).map_err(failed)?;
        let (views, view) = watch::channel(View::default());
        let mut core = Self {
            tracker: Tracker::new(settings, checkpoint.tracker),
            numbering: checkpoint.numbering,
            checkpoint_at: checkpoint.next_index,
            spool,
            folder: folder.to_owned(),
            inbox,
            view: View::default(),
            views,
            sent,
            questions: None,
        };
        core.publish();
        Ok((core, view))
    }

    /// Works until all sources are gone.
    ///
    /// # Errors
    /// When the disk refuses: nothing is forgotten, the agent stops with a sentence and starts again.
    pub fn run(mut self, mut seen: mpsc::Receiver<Observation>) -> Result<(), SpoolError> {
        let mut batch = Vec::new();
        while seen.blocking_recv_many(&mut batch, 1_000) > 0 {
            let mut events = Vec::new();
            let (hooks, from_hooks) = self.hooks()?;
            self.view.hooks += hooks.len() as u64;
            // Hooks know everything of an end but why it was.
            let (ends, others): (Vec<_>, Vec<_>) = batch.drain(..).partition(Observation::is_logged_end);
            for observation in ends.into_iter().chain(from_hooks).chain(others) {
                self.learn(&observation);
                self.take(observation, &mut events);
            }
            self.append(events)?;
            inbox::remove(&hooks).map_err(|source| self.failed(source))?;
            self.tidy()?;
            self.publish();
            self.answer();
        }
        self.checkpoint()
    }

    fn take(&mut self, observation: Observation, events: &mut Vec<(Uuid, Event)>) {
        // A start belongs to the life it begins, a stop to the one it ends.
        let before = self.tracker.boot_id();
        let new = self.tracker.observe(observation);
        let after = self.tracker.boot_id();
        let boot_of = |event: &Event| match event.event_type {
            EventType::ServerStopped => before,
            _ => after,
        };
        events.extend(new.into_iter().map(|event| (boot_of(&event), event)));
    }

    fn learn(&mut self, observation: &Observation) {
        if let Observation::Notice {
            notice: openvpn::management::Notice::Status(report),
            ..
        } = observation
        {
            self.view.dco = report.dco.or(self.view.dco);
            self.view.daemon_version = report
                .daemon
                .as_deref()
                .and_then(version)
                .or(self.view.daemon_version.take());
            self.tracker.set_dco(self.view.dco.unwrap_or(false));
        }
    }

    fn hooks(&self) -> Result<(Vec<PathBuf>, Vec<Observation>), SpoolError> {
        let waiting = match inbox::waiting(&self.inbox, HOOKS_A_BATCH) {
            Ok(waiting) => inbox::due(waiting),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(self.failed(error)),
        };
        Ok(waiting
            .into_iter()
            .map(|call| (call.path, Observation::Hook(call.environment)))
            .unzip())
    }

    /// Numbers the events and puts them on disk.
    fn append(&mut self, events: Vec<(Uuid, Event)>) -> Result<(), SpoolError> {
        let mut records = Vec::with_capacity(events.len());
        let mut numbering = self.numbering;
        for (boot_id, mut event) in events {
            let next = numbering
                .filter(|(boot, _)| *boot == boot_id)
                .map_or(1, |(_, next)| next);
            numbering = Some((boot_id, next + 1));
            event.seq = Some(next);
            let kind = match event.event_type {
                EventType::SessionUpdated | EventType::SessionSnapshot => Kind::Droppable,
                _ => Kind::Essential,
            };
            let payload = serde_json::to_vec(&Spooled {
                boot_id,
                boot: self.tracker.boot(),
                event,
            })
            .expect("an event is JSON");
            records.push((kind, payload));
        }
        self.spool
            .append(records.iter().map(|(kind, payload)| (*kind, payload.as_slice())))?;
        self.numbering = numbering;
        Ok(())
    }

    /// Forgets what the product has, and stores the memory from time to time, so that segments can go.
    fn tidy(&mut self) -> Result<(), SpoolError> {
        if self.spool.next_index() - self.checkpoint_at >= 2_000 {
            self.checkpoint()?;
        }
        let sent = *self.sent.borrow();
        self.spool.forget_below(sent.min(self.checkpoint_at))?;
        self.spool.keep_within_limit()
    }

    fn checkpoint(&mut self) -> Result<(), SpoolError> {
        let checkpoint = Checkpoint {
            next_index: self.spool.next_index(),
            numbering: self.numbering,
            tracker: self.tracker.memory(),
        };
        let bytes = serde_json::to_vec(&checkpoint).expect("the memory is JSON");
        replace(&self.folder.join("memory.json"), &bytes).map_err(|source| self.failed(source))?;
        self.checkpoint_at = checkpoint.next_index;
        Ok(())
    }

    fn publish(&mut self) {
        self.view.next_index = self.spool.next_index();
        self.view.boot_id = self.tracker.boot().map(|_| self.tracker.boot_id());
        self.view.daemon_started_at = self.tracker.boot().map(|boot| boot.started_at);
        self.view.sessions = self.tracker.len();
        self.view.spool_bytes = self.spool.size();
        self.view.dropped = self.spool.dropped();
        self.views.send_replace(self.view.clone());
    }

    fn failed(&self, source: io::Error) -> SpoolError {
        SpoolError::Io {
            path: self.folder.clone(),
            source,
        }
    }
}

/// `OpenVPN 2.6.14 x86_64…` → `2.6.14`
fn version(title: &str) -> Option<String> {
    title.strip_prefix("OpenVPN ")?.split(' ').next().map(str::to_owned)
}

fn read_checkpoint(path: &Path) -> io::Result<Checkpoint> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(%error, "The agent's memory cannot be read; it begins anew, and the product recognises what it has.");
            Checkpoint::default()
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Checkpoint::default()),
        Err(error) => Err(error),
    }
}

/// Takes the events that are newer than the memory into it.
fn catch_up(checkpoint: &mut Checkpoint, folder: &Path, spool: &Spool) -> io::Result<()> {
    let mut next = checkpoint.next_index.max(1);
    while next < spool.next_index() {
        let records = read_from(&folder.join("spool"), next, 1_000, 8 << 20)?;
        let Some(last) = records.last() else { break };
        next = last.index + 1;
        for record in &records {
            let Ok(spooled) = serde_json::from_slice::<Spooled<serde_json::Value>>(&record.payload) else {
                continue;
            };
            let number = spooled.event["seq"].as_u64().unwrap_or_default();
            checkpoint.numbering = Some((spooled.boot_id, number + 1));
            checkpoint.tracker.boot = spooled.boot.or(checkpoint.tracker.boot);
            checkpoint.tracker.relive(&spooled.event);
        }
    }
    checkpoint.next_index = next.max(checkpoint.next_index);
    Ok(())
}
