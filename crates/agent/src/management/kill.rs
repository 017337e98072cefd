//! Ends sessions, because the product has asked for it.

use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Connection, ManagementError};
use crate::tracker::cid_of_session;

/// A session to be ended, once, by the client id that the daemon itself lists for it in the same moment.
#[derive(Debug)]
pub struct Kill {
    pub session_id: Uuid,
    pub deadline: Instant,
    /// Dropped without an answer: the connection broke, and nobody knows.
    pub reply: oneshot::Sender<Killed>,
}

/// What came of a [`Kill`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Killed {
    Done,
    /// The daemon does not have this session.
    NotListed,
    /// Its deadline was over.
    TooLate,
    Refused(String),
}

impl Connection {
    pub(super) async fn kill(&mut self, kill: Kill, namespace: &Uuid) -> Result<(), ManagementError> {
        let mut cid = None;
        self.report(|report| cid = cid_of_session(namespace, kill.session_id, &report.clients))
            .await?;
        let killed = match cid {
            None => Killed::NotListed,
            Some(_) if kill.deadline <= Instant::now() => Killed::TooLate,
            Some(cid) => match self.ask(&format!("client-kill {cid}")).await?.pop() {
                Some(answer) if answer.starts_with("SUCCESS:") => Killed::Done,
                answer => Killed::Refused(answer.unwrap_or_default()),
            },
        };
        // Whoever asked may be gone; the daemon has done it all the same.
        let _ = kill.reply.send(killed);
        Ok(())
    }
}
