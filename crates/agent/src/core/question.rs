//! What the rest of the agent may ask the core.

use std::collections::HashSet;

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::Core;
use crate::clock;
use crate::tracker::{Observation, Standing};

/// Questions that wait; whoever asks more waits.
const QUEUE: usize = 64;

#[derive(Debug)]
pub(super) enum Question {
    Standing {
        session_id: Uuid,
        common_name: String,
        reply: oneshot::Sender<Standing>,
    },
    SessionsOf {
        names: HashSet<String>,
        reply: oneshot::Sender<Vec<(Uuid, String)>>,
    },
    SetKilled {
        session_id: Uuid,
        killed: bool,
        reply: oneshot::Sender<()>,
    },
}

/// Asks the core. Answers are about everything that had been observed before.
#[derive(Debug, Clone)]
pub struct CoreHandle {
    questions: mpsc::Sender<Question>,
    seen: mpsc::Sender<Observation>,
}

impl CoreHandle {
    /// See [`crate::tracker::Tracker::standing`]. None when the agent ends.
    pub async fn standing(&self, session_id: Uuid, common_name: &str) -> Option<Standing> {
        let common_name = common_name.to_owned();
        self.ask(|reply| Question::Standing {
            session_id,
            common_name,
            reply,
        })
        .await
    }

    /// See [`crate::tracker::Tracker::sessions_of`]. Nothing when the agent ends.
    pub async fn sessions_of(&self, names: HashSet<String>) -> Vec<(Uuid, String)> {
        let sessions = self.ask(|reply| Question::SessionsOf { names, reply }).await;
        sessions.unwrap_or_default()
    }

    /// See [`crate::tracker::Tracker::set_killed`].
    pub async fn set_killed(&self, session_id: Uuid, killed: bool) {
        self.ask(|reply| Question::SetKilled {
            session_id,
            killed,
            reply,
        })
        .await;
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(question(reply)).await.ok()?;
        // The core wakes for observations.
        self.seen.send(Observation::Tick(clock::now())).await.ok()?;
        answer.await.ok()
    }
}

impl Core {
    /// With a handle for questions. `killed` are the sessions that an earlier run may have ended.
    pub fn answering(
        mut self,
        seen: mpsc::Sender<Observation>,
        killed: impl Iterator<Item = Uuid>,
    ) -> (Self, CoreHandle) {
        let (questions, to_answer) = mpsc::channel(QUEUE);
        self.questions = Some(to_answer);
        killed.for_each(|session| self.tracker.set_killed(session, true));
        (self, CoreHandle { questions, seen })
    }

    pub(super) fn answer(&mut self) {
        let Some(questions) = &mut self.questions else { return };
        // Whoever asked may be gone.
        while let Ok(question) = questions.try_recv() {
            match question {
                Question::Standing {
                    session_id,
                    common_name,
                    reply,
                } => drop(reply.send(self.tracker.standing(session_id, &common_name))),
                Question::SessionsOf { names, reply } => drop(reply.send(self.tracker.sessions_of(&names))),
                Question::SetKilled {
                    session_id,
                    killed,
                    reply,
                } => {
                    self.tracker.set_killed(session_id, killed);
                    let _ = reply.send(());
                }
            }
        }
    }
}
