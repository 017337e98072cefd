//! What a client asks for, within measure.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Socket;
use crate::client_frame::{ClientFrame, MOST_ROOMS, Room};
use crate::close::Close;
use crate::frames;

/// Snapshots are made at most so often for one client.
const BETWEEN_SNAPSHOTS: Duration = Duration::from_millis(250);
/// Messages that a client may send in [`WINDOW`].
const MOST_MESSAGES: u32 = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// What is to be answered, and how much was asked already.
#[derive(Default)]
pub(super) struct Asked {
    snapshot: bool,
    last_snapshot: Option<Instant>,
    window: Option<Instant>,
    messages: u32,
}

impl Asked {
    /// Resolves when a snapshot is wanted and may be made; never otherwise.
    pub(super) async fn due(&self) {
        if !self.snapshot {
            return std::future::pending().await;
        }
        if let Some(last) = self.last_snapshot {
            sleep_until(last + BETWEEN_SNAPSHOTS).await;
        }
    }

    fn count(&mut self) -> Result<(), Close> {
        let now = Instant::now();
        if self.window.is_none_or(|since| now - since >= WINDOW) {
            (self.window, self.messages) = (Some(now), 0);
        }
        self.messages += 1;
        if self.messages > MOST_MESSAGES {
            Err(Close::TooMany)
        } else {
            Ok(())
        }
    }
}

impl Socket {
    pub(super) async fn obey(&mut self, text: &str) -> Result<(), Close> {
        self.asked.count()?;
        match ClientFrame::read(text) {
            Ok(ClientFrame::Authenticate { token, .. }) => self.renew(&token).await,
            Ok(ClientFrame::JoinServerRoom(room)) => self.join(room).await,
            Ok(ClientFrame::LeaveServerRoom(room)) => self.leave(&room).await,
            Ok(ClientFrame::GetActiveSessions) => {
                self.asked.snapshot = true;
                Ok(())
            }
            Err(complaint) => self.complain("invalid_frame", &complaint).await,
        }
    }

    pub(super) async fn complain(&mut self, error: &str, detail: &str) -> Result<(), Close> {
        self.writer.text(frames::error(error, detail), &mut self.access).await
    }

    /// A token that is not good changes nothing: the old one still is.
    async fn renew(&mut self, token: &str) -> Result<(), Close> {
        match self.state.gate.admit(token).await {
            Ok(access) if access.caller.portal_user_id != self.access.caller.portal_user_id => Err(Close::OtherUser),
            Ok(access) => {
                self.access = access;
                let caller = &self.access.caller;
                let frame = frames::authenticated(&caller.username, &caller.roles, self.access.expires_at);
                self.writer.text(frame, &mut self.access).await
            }
            Err(close) => {
                self.complain(close.reason(), "The token is not good; the old one stays.")
                    .await
            }
        }
    }

    async fn join(&mut self, room: Room) -> Result<(), Close> {
        if self.rooms.len() >= MOST_ROOMS {
            return self.complain("too_many_rooms", "Leave another room first.").await;
        }
        if !self.rooms.contains(&room.server_instance) {
            self.rooms.push(room.server_instance);
        }
        self.rooms_changed().await
    }

    async fn leave(&mut self, room: &Room) -> Result<(), Close> {
        self.rooms.retain(|joined| *joined != room.server_instance);
        self.rooms_changed().await
    }

    /// What the client holds may lack the sessions of a room that was not joined before.
    async fn rooms_changed(&mut self) -> Result<(), Close> {
        self.asked.snapshot = true;
        self.writer.text(frames::rooms(&self.rooms), &mut self.access).await
    }

    /// The snapshot that is due.
    pub(super) async fn answer(&mut self) -> Result<(), Close> {
        self.asked.snapshot = false;
        self.asked.last_snapshot = Some(Instant::now());
        if self.place.is_some() {
            self.send_snapshot().await
        } else {
            Ok(())
        }
    }
}
