//! What the product has asked of the agent: commands, and whom to keep out.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Reporter;
use crate::clock;
use crate::commands::denials::Denials;
use crate::commands::journal::{Record, State};

/// Commands that a report names; the others are counted.
const NAMED: usize = 5;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// When the product said last what it asks, since the agent's start: its list of denials was as it is here.
    #[serde(with = "time::serde::rfc3339::option")]
    pub asked_at: Option<OffsetDateTime>,
    /// Denials whose time is not over. None: the list cannot be read, and keeps nobody out.
    pub denials_in_force: Option<usize>,
    /// Commands whose end is not known.
    pub in_hand: usize,
    /// Commands that have come to their end and are remembered: for a day, or until the product has heard of it.
    pub ended: usize,
    /// The latest, first.
    pub latest: Vec<Command>,
}

/// How far one command has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub id: Uuid,
    pub common_name: String,
    pub state: State,
    #[serde(with = "time::serde::rfc3339")]
    pub reached_at: OffsetDateTime,
    pub failure: Option<String>,
    /// The product has heard of it.
    pub reported: bool,
}

impl Reporter {
    pub(super) async fn asked(&self) -> Option<Asked> {
        let commands = self.journal.as_ref()?.latest();
        let state_dir = self.state_dir.clone();
        // As the hook reads it.
        let denials = tokio::task::spawn_blocking(move || Denials::load(&state_dir)).await;
        let now = clock::Instant::now();
        let in_hand = commands.iter().filter(|record| !record.state.is_final()).count();
        Some(Asked {
            asked_at: self.health.asked_at(),
            denials_in_force: denials
                .ok()
                .and_then(Result::ok)
                .map(|list| list.in_force(&now).count()),
            in_hand,
            ended: commands.len() - in_hand,
            latest: commands.into_iter().take(NAMED).map(Command::from).collect(),
        })
    }
}

impl From<Record> for Command {
    fn from(record: Record) -> Self {
        let reached_at = i128::from(record.reached_at) * 1_000_000;
        Self {
            id: record.id,
            // What had been reported before the last step does not count.
            reported: record.reported == Some(record.state),
            common_name: record.common_name,
            state: record.state,
            reached_at: OffsetDateTime::from_unix_timestamp_nanos(reached_at).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            failure: record.failure,
        }
    }
}
