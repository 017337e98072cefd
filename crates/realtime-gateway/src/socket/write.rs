//! Writing to a client that may not read.

use std::pin::pin;
use std::time::Duration;

use actix_ws::{Closed, Session};
use bytes::Bytes;
use bytestring::ByteString;
use futures_util::FutureExt;
use service_kit::Shutdown;

use crate::access::Access;
use crate::close::Close;

pub(super) struct Writer {
    session: Option<Session>,
    slow_after: Duration,
    stopping: Shutdown,
}

impl Writer {
    pub(super) fn new(session: Session, slow_after: Duration, stopping: Shutdown) -> Self {
        Self {
            session: Some(session),
            slow_after,
            stopping,
        }
    }

    /// Writes a frame, unless the client does not read for too long or has no right to it meanwhile.
    pub(super) async fn text(&mut self, text: ByteString, access: &mut Access) -> Result<(), Close> {
        let Some(session) = &mut self.session else {
            return Err(Close::Gone);
        };
        hurry(session.text(text), self.slow_after, &self.stopping, access).await
    }

    /// The same for a compressed frame.
    pub(super) async fn binary(&mut self, bytes: Bytes, access: &mut Access) -> Result<(), Close> {
        let Some(session) = &mut self.session else {
            return Err(Close::Gone);
        };
        hurry(session.binary(bytes), self.slow_after, &self.stopping, access).await
    }

    pub(super) async fn ping(&mut self, access: &mut Access) -> Result<(), Close> {
        let Some(session) = &mut self.session else {
            return Err(Close::Gone);
        };
        hurry(session.ping(b""), self.slow_after, &self.stopping, access).await
    }

    pub(super) async fn pong(&mut self, payload: &[u8], access: &mut Access) -> Result<(), Close> {
        let Some(session) = &mut self.session else {
            return Err(Close::Gone);
        };
        hurry(session.pong(payload), self.slow_after, &self.stopping, access).await
    }

    /// Says why the socket ends.
    pub(super) async fn goodbye(&mut self, close: Close) {
        if let Some(session) = self.session.take() {
            let _ = session.close(Some(close.into())).await;
        }
    }
}

async fn hurry(
    writing: impl Future<Output = Result<(), Closed>>,
    slow_after: Duration,
    stopping: &Shutdown,
    access: &mut Access,
) -> Result<(), Close> {
    let mut writing = pin!(writing);
    // Nearly always there is room: no timer for that.
    if let Some(written) = (&mut writing).now_or_never() {
        return written.map_err(|_| Close::Gone);
    }
    tokio::select! {
        written = writing => written.map_err(|_| Close::Gone),
        () = tokio::time::sleep(slow_after) => Err(Close::Slow),
        close = access.ended() => Err(close),
        () = stopping.requested() => Err(Close::Restart),
    }
}
