//! What the agent has been told to do, on disk before it does it: whatever happens to the agent, it acts on a command once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use agent_api::CommandState;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::files::replace;

/// How long a command is remembered after the product has heard of its end: an answer of a poll may be that late.
const REMEMBERED_MS: i64 = 24 * 3_600_000;
/// How long the end of a command is kept for a product that does not take it. It takes nothing that is older.
const KEPT_MS: i64 = 29 * 24 * 3_600_000;

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// On disk; the agent acts from here on, or has acted.
    Taken,
    Accepted,
    Gone,
    StayedGone,
    Reconnected,
    Failed,
}

impl State {
    pub fn is_final(self) -> bool {
        self >= Self::StayedGone
    }

    /// As the product is told of it; there is nothing to tell of a command that was only taken.
    pub fn told(self) -> Option<CommandState> {
        Some(match self {
            Self::Taken => return None,
            Self::Accepted => CommandState::Accepted,
            Self::Gone => CommandState::Gone,
            Self::StayedGone => CommandState::StayedGone,
            Self::Reconnected => CommandState::Reconnected,
            Self::Failed => CommandState::Failed,
        })
    }
}

/// A command and everything that is known of it. Times are the host's clock, milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub id: Uuid,
    pub session_id: Uuid,
    pub common_name: String,
    pub watch_seconds: u64,
    /// Sessions that the VPN user had besides.
    pub others: Vec<Uuid>,
    pub state: State,
    pub reached_at: i64,
    pub accepted_at: Option<i64>,
    pub gone_at: Option<i64>,
    pub reconnected_session_id: Option<Uuid>,
    pub failure: Option<String>,
    /// What the product has heard of last.
    pub reported: Option<State>,
}

impl Record {
    /// Until when the VPN user is watched for coming back.
    pub fn watched_until(&self) -> i64 {
        let watch = i64::try_from(self.watch_seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000);
        self.gone_at.unwrap_or_default().saturating_add(watch)
    }

    /// Whether nobody asks for it any more.
    pub fn is_old(&self, now: i64) -> bool {
        let kept = match self.reported == Some(self.state) {
            true => REMEMBERED_MS,
            false => KEPT_MS,
        };
        self.state.is_final() && now.saturating_sub(self.reached_at) > kept
    }

    fn damaged(id: Uuid, now: i64) -> Self {
        Self {
            id,
            session_id: Uuid::nil(),
            common_name: String::new(),
            watch_seconds: 0,
            others: Vec::new(),
            state: State::Failed,
            reached_at: now,
            accepted_at: None,
            gone_at: None,
            reconnected_session_id: None,
            failure: Some(
                "The agent's record of this command is damaged; it may have acted, and does not act again.".to_owned(),
            ),
            reported: None,
        }
    }
}

/// The commands of this agent.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    records: Mutex<BTreeMap<Uuid, Record>>,
    news: Notify,
}

impl Journal {
    /// Reads what earlier runs have left. A record that cannot be understood is a command that is not acted upon.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, now: i64) -> io::Result<Arc<Self>> {
        fs::create_dir_all(folder)?;
        let mut records = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let id = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_suffix(".json")?.parse().ok());
            let Some(id) = id else { continue };
            let record = serde_json::from_slice(&fs::read(&path)?).unwrap_or_else(|error| {
                tracing::error!(path = %path.display(), %error, "The record of a command is damaged; the command is given up.");
                Record::damaged(id, now)
            });
            records.insert(id, record);
        }
        let journal = Self {
            folder: folder.to_owned(),
            records: Mutex::new(records),
            news: Notify::new(),
        };
        journal.forget_old(now)?;
        Ok(Arc::new(journal))
    }

    /// Whether a command is in the journal: then it is not to be carried out (again).
    pub fn knows(&self, id: Uuid) -> bool {
        self.lock().contains_key(&id)
    }

    pub fn get(&self, id: Uuid) -> Option<Record> {
        self.lock().get(&id).cloned()
    }

    /// The commands whose end is not known.
    pub fn unfinished(&self) -> Vec<Record> {
        let records = self.lock();
        let unfinished = records.values().filter(|record| !record.state.is_final());
        unfinished.cloned().collect()
    }

    /// All that are remembered, the latest first.
    pub fn latest(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self.lock().values().cloned().collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.reached_at));
        records
    }

    /// What the product has not heard of.
    pub fn unreported(&self) -> Vec<Record> {
        let records = self.lock();
        let unreported = records
            .values()
            .filter(|record| record.state > State::Taken && record.reported != Some(record.state));
        unreported.cloned().collect()
    }

    /// Resolves when something was written that the product may have to hear of.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// On disk when this returns.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, record: Record) -> io::Result<()> {
        let bytes = serde_json::to_vec(&record)?;
        replace(&self.path(record.id), &bytes)?;
        self.lock().insert(record.id, record);
        self.news.notify_one();
        Ok(())
    }

    /// The product has heard of this state.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn reported(&self, id: Uuid, state: State) -> io::Result<()> {
        let Some(mut record) = self.get(id) else { return Ok(()) };
        record.reported = Some(state);
        self.write(record)
    }

    /// The product asks again for what it has been told.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn report_again(&self, id: Uuid) -> io::Result<()> {
        match self.get(id) {
            Some(record) if record.reported.is_some() => self.write(Record {
                reported: None,
                ..record
            }),
            _ => Ok(()),
        }
    }

    /// Forgets what nobody asks for any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_old(&self, now: i64) -> io::Result<()> {
        let old: Vec<Uuid> = self
            .lock()
            .values()
            .filter(|record| record.is_old(now))
            .map(|record| record.id)
            .collect();
        for id in old {
            fs::remove_file(self.path(id))?;
            self.lock().remove(&id);
        }
        Ok(())
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
