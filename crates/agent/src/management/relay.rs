//! The agent's connection serves other tools too: their commands go to the daemon between the agent's own.

use tokio::time::{Instant, timeout};

use super::{ANSWER_TIMEOUT, Connection, ManagementError};
use crate::passthrough::{Link, Request};

impl Connection {
    /// By which others may use the interface while this connection holds it.
    pub fn link(&self) -> Link {
        Link {
            banner: self.banner.clone(),
            held: self.held.subscribe(),
            requests: self.requests.0.clone(),
            notices: self.notices.clone(),
        }
    }

    pub(super) async fn relay(&mut self, request: Request) -> Result<(), ManagementError> {
        let mut answer = Vec::new();
        let end = self.put(&request.command, &mut answer).await;
        // A daemon that was told to end says so before it is gone. The tool itself may be gone, too.
        let _ = request.answer.send(answer);
        end
    }

    /// Puts a tool's command to the daemon, and `pid` after it: whatever comes before the answer to that belongs to the
    /// command, of any version and any length.
    async fn put(&mut self, command: &str, answer: &mut Vec<String>) -> Result<(), ManagementError> {
        let fence = format!("SUCCESS: pid={}", self.pid);
        let mut fences = if command == "pid" { 2 } else { 1 };
        self.write(command).await?;
        self.write("pid").await?;
        let asked = Instant::now();
        loop {
            let left = ANSWER_TIMEOUT.saturating_sub(asked.elapsed());
            let line = timeout(left, self.next_line())
                .await
                .map_err(|_| ManagementError::NoAnswer(command.to_owned()))??;
            if line.starts_with('>') {
                self.take_in(&line).await?;
                continue;
            }
            fences -= usize::from(line == fence);
            if fences == 0 {
                return Ok(());
            }
            if line.starts_with("SUCCESS: hold release") {
                self.held.send_replace(None);
            }
            answer.push(line);
        }
    }

    /// Notifications are for everybody.
    pub(super) fn pass_on(&mut self, line: &str) {
        if line.starts_with(">HOLD:") {
            self.held.send_replace(Some(line.into()));
        }
        if line.starts_with('>') && self.notices.receiver_count() > 0 {
            // The last listener may have gone just now.
            let _ = self.notices.send(line.into());
        }
    }
}
