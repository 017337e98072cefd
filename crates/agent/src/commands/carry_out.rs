//! One command: act once, then prove what came of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use super::journal::{Journal, Record, State};
use crate::clock;
use crate::core::CoreHandle;
use crate::management::{Kill, Killed};

/// How often the core is asked while a session's end or its user's return is awaited.
const LOOK: Duration = Duration::from_millis(250);
/// How long a command waits for the management interface.
const ATTACHED_WITHIN: Duration = Duration::from_secs(10);

/// Where kills go while the management interface is attached.
pub type Attached = watch::Receiver<Option<mpsc::Sender<Kill>>>;

/// Carries out commands.
#[derive(Debug, Clone)]
pub struct Hand {
    pub journal: Arc<Journal>,
    pub core: CoreHandle,
    pub attached: Attached,
    /// How long the daemon may take to end a session that it has promised to end.
    pub gone_within: Duration,
}

impl Hand {
    /// Acts, unless `deadline` is over, and follows the command to its end. The record is in the journal.
    ///
    /// # Errors
    /// When the disk refuses: the command is then taken up again after a restart, without acting.
    pub async fn carry_out(self, mut record: Record, deadline: Instant) -> io::Result<()> {
        match self.end(record.session_id, deadline).await {
            Ok(Acted::Accepted) => {
                let now = clock::now_ms();
                record.accepted_at = Some(now);
                self.reach(&mut record, State::Accepted, now)?;
                self.prove(record).await
            }
            Ok(Acted::Perhaps) => self.prove(record).await,
            Err(failure) => self.fail(record, failure),
        }
    }

    /// Asks the daemon to end a session.
    ///
    /// # Errors
    /// Why nothing was done, for people.
    pub async fn end(&self, session_id: Uuid, deadline: Instant) -> Result<Acted, String> {
        self.core.set_killed(session_id, true).await;
        let failure = match self.kill(session_id, deadline).await {
            Ok(Killed::Done) => return Ok(Acted::Accepted),
            Err(NotAsked::Broken) => return Ok(Acted::Perhaps),
            Ok(Killed::NotListed) => {
                "The VPN server no longer had this session when the agent came to end it.".to_owned()
            }
            Ok(Killed::TooLate) => "The agent could not act in time; nothing was done.".to_owned(),
            Ok(Killed::Refused(answer)) => format!("The daemon refused: {answer}"),
            Err(NotAsked::Detached) => {
                "The agent is not attached to the daemon's management interface, and cannot end sessions.".to_owned()
            }
        };
        self.core.set_killed(session_id, false).await;
        Err(failure)
    }

    /// Follows a command to its end without acting: it has been acted on, or nobody knows.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn prove(self, mut record: Record) -> io::Result<()> {
        if record.state < State::Gone {
            if !self.is_gone(&record).await {
                let failure = match record.state {
                    State::Accepted => "The daemon took it, but the session is still there.",
                    _ => "The agent was stopped while it acted, and the session is still there; it does not act twice.",
                };
                self.core.set_killed(record.session_id, false).await;
                return self.fail(record, failure.to_owned());
            }
            let now = clock::now_ms();
            record.gone_at = Some(now);
            self.reach(&mut record, State::Gone, now)?;
        }
        let until = record.watched_until();
        loop {
            let now = clock::now_ms();
            let Some(standing) = self.core.standing(record.session_id, &record.common_name).await else {
                return Ok(());
            };
            if let Some(new) = standing.others.iter().find(|id| !record.others.contains(id)) {
                record.reconnected_session_id = Some(*new);
                return self.reach(&mut record, State::Reconnected, now);
            }
            if now >= until {
                return self.reach(&mut record, State::StayedGone, now);
            }
            sleep(LOOK).await;
        }
    }

    /// Waits for the session's end as any source tells it.
    async fn is_gone(&self, record: &Record) -> bool {
        let gone = timeout(self.gone_within, async {
            while let Some(standing) = self.core.standing(record.session_id, &record.common_name).await {
                if !standing.is_open {
                    return;
                }
                sleep(LOOK).await;
            }
            // The agent ends; the next run goes on.
            std::future::pending().await
        });
        gone.await.is_ok()
    }

    async fn kill(&self, session_id: Uuid, deadline: Instant) -> Result<Killed, NotAsked> {
        let mut attached = self.attached.clone();
        let by = deadline.min(Instant::now() + ATTACHED_WITHIN);
        let kills = match timeout_at(by, attached.wait_for(Option::is_some)).await {
            Ok(Ok(kills)) => kills.clone(),
            _ => None,
        };
        let kills = kills.ok_or(NotAsked::Detached)?;
        let (reply, answer) = oneshot::channel();
        let kill = Kill {
            session_id,
            deadline,
            reply,
        };
        kills.send(kill).await.map_err(|_| NotAsked::Detached)?;
        answer.await.map_err(|_| NotAsked::Broken)
    }

    fn fail(&self, mut record: Record, failure: String) -> io::Result<()> {
        record.failure = Some(failure);
        self.reach(&mut record, State::Failed, clock::now_ms())
    }

    fn reach(&self, record: &mut Record, state: State, at: i64) -> io::Result<()> {
        (record.state, record.reached_at) = (state, at);
        // What was reported meanwhile stays known.
        record.reported = self.journal.get(record.id).and_then(|stored| stored.reported);
        tracing::info!(
            command_id = %record.id,
            session_id = %record.session_id,
            common_name = record.common_name,
            ?state,
            failure = record.failure,
            "A command has come further."
        );
        self.journal.write(record.clone())
    }
}

/// What came of asking the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    Accepted,
    /// The connection broke in between: the daemon may have been asked.
    Perhaps,
}

/// Why the daemon has not said whether it ends a session.
enum NotAsked {
    Detached,
    Broken,
}
