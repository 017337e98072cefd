//! What a client is told: where things stand, then everything that follows.

use std::sync::Arc;

use actix_web::web;
use service_kit::clock;

use super::{Place, Socket};
use crate::close::Close;
use crate::frames;
use crate::hub::Resumed;
use crate::log::Frame;
use crate::position::Position;
use crate::snapshot::Snapshot;
use crate::stats::Stats;

/// Frames taken from the log at once.
const AT_ONCE: usize = 64;
/// Of the rounds in which frames are sent, how many are measured: one of so many.
const MEASURE_ONE_OF: u64 = 16;

impl Socket {
    /// Goes on where the client was, or begins anew.
    pub(super) async fn welcome(&mut self, last_position: Option<String>) -> Result<(), Close> {
        if self.state.hub.generation() == 0 {
            return self.tell_why_not().await;
        }
        let Some(last_position) = last_position else {
            return self.begin().await;
        };
        let position = last_position.parse::<Position>().ok();
        match position.and_then(|position| Some((position, self.state.hub.resume(position)?))) {
            Some((position, resumed)) => self.resume(position, resumed).await,
            None => self.resync("position_unknown").await,
        }
    }

    async fn resume(&mut self, position: Position, resumed: Resumed) -> Result<(), Close> {
        metrics::counter!("realtime_resumed_total").increment(1);
        self.place = Some(Place {
            generation: resumed.generation,
            cursor: resumed.cursor,
            replays: true,
            catches_up: true,
        });
        self.writer.text(frames::resumed(position), &mut self.access).await?;
        self.tell_circumstances(position).await?;
        self.advance().await
    }

    /// Until the sessions are known, a client is told why it sees none.
    async fn tell_why_not(&mut self) -> Result<(), Close> {
        let status = self.state.hub.status();
        if self.told != Some(status.name()) {
            self.told = Some(status.name());
            let frame = status.frame(Position::default());
            self.writer.text(frame, &mut self.access).await?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), Close> {
        self.send_snapshot().await?;
        self.advance().await
    }

    /// Everything the client holds is void.
    async fn resync(&mut self, reason: &'static str) -> Result<(), Close> {
        metrics::counter!("realtime_resyncs_total", "reason" => reason).increment(1);
        let position = self.state.hub.look(|live| live.position).unwrap_or_default();
        self.writer
            .text(frames::resync(reason, position), &mut self.access)
            .await?;
        self.send_snapshot().await
    }

    pub(super) async fn send_snapshot(&mut self) -> Result<(), Close> {
        let seen = self.place.map_or((0, 0), |place| (place.generation, place.cursor));
        let Some(snapshot) = self.state.hub.snapshot(&self.rooms, seen) else {
            return Ok(());
        };
        self.send_pages(&snapshot).await?;
        self.place = Some(Place {
            generation: snapshot.generation,
            cursor: snapshot.cursor,
            replays: false,
            catches_up: true,
        });
        self.tell_circumstances(snapshot.position).await
    }

    async fn send_pages(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), Close> {
        if !self.packed {
            for page in snapshot.pages() {
                self.writer.text(page.clone(), &mut self.access).await?;
            }
            return Ok(());
        }
        if !snapshot.is_packed() {
            let snapshot = Arc::clone(snapshot);
            // It takes the time of many frames, which other sockets are waiting for. Refused only while the process ends.
            let packing = web::block(move || {
                snapshot.pack();
            });
            packing.await.map_err(|_| Close::Restart)?;
        }
        for page in snapshot.pack() {
            self.writer.binary(page.clone(), &mut self.access).await?;
        }
        Ok(())
    }

    /// What is not part of the sessions and has no history.
    async fn tell_circumstances(&mut self, position: Position) -> Result<(), Close> {
        let status = self.state.hub.status().frame(position);
        let servers = self.state.servers.all(position);
        let stats = self.state.hub.change(Stats::of);
        self.writer.text(status, &mut self.access).await?;
        self.writer.text(servers, &mut self.access).await?;
        if let Some(stats) = stats {
            let frame = frames::event("stats_update", position, &stats);
            self.writer.text(frame, &mut self.access).await?;
        }
        Ok(())
    }

    /// Sends what there is.
    pub(super) async fn advance(&mut self) -> Result<(), Close> {
        loop {
            let Some(place) = self.place else {
                return match self.state.hub.generation() {
                    0 => self.tell_why_not().await,
                    _ => self.send_snapshot().await,
                };
            };
            if place.generation != self.state.hub.generation() {
                self.resync("sessions_read_anew").await?;
                continue;
            }
            let Some(found) = self.state.hub.frames(place.generation, place.cursor, AT_ONCE) else {
                self.resync("too_far_behind").await?;
                continue;
            };
            let too_many = found.behind > self.state.config.realtime_queue_frames;
            if too_many && !place.catches_up {
                self.resync("too_slow").await?;
                continue;
            }
            if found.frames.is_empty() {
                return Ok(());
            }
            self.place = Some(Place {
                catches_up: too_many,
                ..place
            });
            self.send(&found.frames).await?;
        }
    }

    async fn send(&mut self, frames: &[Arc<Frame>]) -> Result<(), Close> {
        let mut sent = 0;
        for frame in frames {
            if self.wants(frame) {
                self.writer.text(frame.text.clone(), &mut self.access).await?;
                sent += 1;
            }
            if let Some(place) = &mut self.place {
                place.cursor += 1;
            }
        }
        metrics::counter!("realtime_frames_sent_total").increment(sent);
        self.measure(frames);
        Ok(())
    }

    fn wants(&self, frame: &Frame) -> bool {
        let replays = self.place.is_some_and(|place| place.replays);
        let room = |server: &Arc<str>| self.rooms.is_empty() || self.rooms.iter().any(|room| **room == **server);
        (replays || !frame.only_for_replay) && frame.server.as_ref().is_none_or(room)
    }

    /// Measuring each frame of each socket would cost more than sending it.
    fn measure(&mut self, frames: &[Arc<Frame>]) {
        self.rounds = self.rounds.wrapping_add(1);
        if !self.rounds.is_multiple_of(MEASURE_ONE_OF) {
            return;
        }
        if let Some(stored_at) = frames.iter().find_map(|frame| frame.stored_at) {
            let took = (clock::now() - stored_at).as_seconds_f64().max(0.0);
            metrics::histogram!("realtime_fanout_seconds").record(took);
        }
    }
}
