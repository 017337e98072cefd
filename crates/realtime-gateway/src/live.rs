//! One life of the followed stream: the sessions at the newest position, and the frames that led there.

use std::sync::Arc;
use std::time::Instant;

use bus::{PositionedDeltas, RealtimeState};
use bytestring::ByteString;

use crate::change::Change;
use crate::frames;
use crate::log::{Frame, Log};
use crate::position::Position;
use crate::rates::Rates;
use crate::view::{Applied, Seed, View};

#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) view: View,
    pub(crate) log: Log,
    pub(crate) rates: Rates,
    /// Everything up to here is in `view`.
    pub(crate) position: Position,
    /// Changes up to this sequence are older than what `view` was read from.
    noted: u64,
}

/// How a change travels.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    event: crate::change::Event,
    only_for_replay: bool,
}

impl Live {
    /// `state` was noted before `seeds` were read; what is followed begins with `first`, which may lie before that.
    pub(crate) fn new(state: &RealtimeState, first: u64, seeds: Vec<Seed>, replay_bytes: usize) -> Self {
        let before_first = before(state.epoch, first);
        Self {
            view: View::new(seeds),
            log: Log::new(before_first, replay_bytes),
            rates: Rates::default(),
            position: before_first,
            noted: state.last,
        }
    }

    /// The first message that is followed is this one; call before it is taken.
    pub(crate) fn begin_with(&mut self, sequence: u64) {
        self.position = before(self.position.epoch, sequence);
        self.log.raise_floor(self.position);
    }

    /// Takes the next message of the stream.
    pub(crate) fn take(&mut self, message: PositionedDeltas, now: Instant) {
        let PositionedDeltas {
            sequence,
            stored_at,
            deltas,
        } = message;
        let server: Arc<str> = deltas.server_name.as_str().into();
        let mut run: Vec<Change> = Vec::new();
        let mut kind = None;
        let position = |part| Position {
            epoch: self.position.epoch,
            sequence,
            part,
        };
        let (start, mut parts) = (position(0), 0);
        let mut frames = Vec::new();
        for delta in deltas.sessions {
            parts += 1;
            let Some(change) = Change::read(delta) else { continue };
            let Some(next) = self.judge(sequence, &server, &change, now) else {
                continue;
            };
            if let Some(kind) = kind.filter(|kind| *kind != next) {
                frames.push((kind, parts - 1, std::mem::take(&mut run)));
            }
            kind = Some(next);
            run.push(change);
        }
        if let Some(kind) = kind {
            frames.push((kind, parts, run));
        }
        self.position = start;
        for (kind, part, changes) in frames {
            self.position = Position { part, ..start };
            self.rates.add(stored_at.unix_timestamp(), kind.event, changes.len());
            let changes: Vec<&Change> = changes.iter().collect();
            self.log.push(Frame {
                position: self.position,
                server: Some(Arc::clone(&server)),
                only_for_replay: kind.only_for_replay,
                text: frames::changes(kind.event, self.position, &server, &changes),
                stored_at: Some(stored_at),
            });
        }
    }

    /// `None` for what nobody needs.
    fn judge(&mut self, sequence: u64, server: &Arc<str>, change: &Change, now: Instant) -> Option<Kind> {
        let kind = |only_for_replay| {
            Some(Kind {
                event: change.event,
                only_for_replay,
            })
        };
        if sequence <= self.noted {
            self.view.remember(change, now);
            return kind(true);
        }
        match self.view.apply(server, change, now) {
            Applied::New => kind(false),
            Applied::Seeded => kind(true),
            Applied::Stale => None,
        }
    }

    /// A frame that says how something is now; a newer one makes it void.
    pub(crate) fn tell(&mut self, text: ByteString) {
        self.log.push(Frame {
            position: self.position,
            server: None,
            only_for_replay: false,
            text,
            stored_at: None,
        });
    }
}

/// All of the message before this one.
fn before(epoch: u64, sequence: u64) -> Position {
    Position {
        epoch,
        sequence: sequence.saturating_sub(1),
        part: u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use bus::proto::{DeltaKind, SessionDelta, SessionDeltas};
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    const STATE: RealtimeState = RealtimeState {
        epoch: 1,
        first: 1,
        last: 10,
    };

    fn delta(id: u128, version: u32, kind: DeltaKind) -> SessionDelta {
        let status = match kind {
            DeltaKind::Disconnected => "disconnected",
            _ => "active",
        };
        SessionDelta {
            kind: kind.into(),
            session_id: Uuid::from_u128(id).as_bytes().to_vec(),
            version,
            session_json: format!(r#"{{"session_status":"{status}","version":{version}}}"#),
        }
    }

    fn message(sequence: u64, sessions: Vec<SessionDelta>) -> PositionedDeltas {
        PositionedDeltas {
            sequence,
            stored_at: OffsetDateTime::UNIX_EPOCH,
            deltas: SessionDeltas {
                server_name: "vpn-1".to_owned(),
                sessions,
            },
        }
    }

    /// Position and event of each frame, with a `*` when it is only for replays.
    fn told(live: &Live) -> Vec<String> {
        let frames = live.log.read(0, 100).unwrap();
        let one = |frame: &Arc<Frame>| {
            let json: serde_json::Value = serde_json::from_str(&frame.text).unwrap();
            let mark = if frame.only_for_replay { "*" } else { "" };
            let count = json["sessions"].as_array().map_or(0, Vec::len);
            format!("{} {} {count}{mark}", frame.position, json["event"].as_str().unwrap())
        };
        frames.iter().map(one).collect()
    }

    #[test]
    fn changes_of_one_kind_that_follow_each_other_share_a_frame() {
        use DeltaKind::{Connected, Disconnected};
        let mut live = Live::new(&STATE, 11, Vec::new(), 1 << 20);
        let sessions = vec![
            delta(1, 1, Connected),
            delta(2, 1, Connected),
            delta(1, 2, Disconnected),
            delta(1, 1, Connected),
        ];
        live.take(message(11, sessions), Instant::now());
        assert_eq!(
            told(&live),
            ["1-11-2 session_connected 2", "1-11-4 session_disconnected 1"]
        );
        assert_eq!((live.view.len(), live.position.to_string()), (1, "1-11-4".to_owned()));
        live.take(message(12, vec![delta(2, 1, Connected)]), Instant::now());
        assert_eq!((told(&live).len(), live.position.to_string()), (2, "1-12-0".to_owned()));
    }

    #[test]
    fn history_is_for_those_who_come_back_and_changes_nothing() {
        use DeltaKind::{Connected, Disconnected};
        let seed = Seed {
            id: Uuid::from_u128(1),
            version: 1,
            server_instance: "vpn-1".to_owned(),
            json: "{}".to_owned(),
        };
        let mut live = Live::new(&STATE, 9, vec![seed], 1 << 20);
        live.take(
            message(9, vec![delta(1, 1, Connected), delta(2, 1, Connected)]),
            Instant::now(),
        );
        live.take(message(10, vec![delta(2, 2, Disconnected)]), Instant::now());
        assert_eq!(live.view.len(), 1);
        live.take(
            message(11, vec![delta(1, 1, Connected), delta(2, 1, Connected)]),
            Instant::now(),
        );
        let expected = [
            "1-9-2 session_connected 2*",
            "1-10-1 session_disconnected 1*",
            // The seed has it; and what has ended does not come back.
            "1-11-2 session_connected 1*",
        ];
        assert_eq!((told(&live), live.view.len()), (expected.map(str::to_owned).into(), 1));
    }

    #[test]
    fn who_comes_back_with_the_position_before_the_first_message_gets_everything() {
        let mut live = Live::new(&STATE, 11, Vec::new(), 1 << 20);
        live.take(message(11, vec![delta(1, 1, DeltaKind::Connected)]), Instant::now());
        let before = Position {
            epoch: 1,
            sequence: 10,
            part: 3,
        };
        assert_eq!(live.log.after(before), None);
        assert_eq!(
            live.log.after(Position {
                part: u32::MAX,
                ..before
            }),
            Some(0)
        );
    }
}
