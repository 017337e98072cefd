//! What an agent tells of an ordinary day: users who come and go, counters, snapshots, one restart.

use std::collections::BTreeMap;

use domain::event::{Event, EventType, SessionFacts};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::delivery::History;

const USERS: u8 = 150;
/// Every so many events a snapshot.
const SNAPSHOT: usize = 250;

/// A day with this many events, in order and numbered. The same seed gives the same day.
pub(super) fn working_day(seed: u64, events: usize) -> History {
    let server = format!("vpn-{seed}");
    let mut day = Day {
        rng: StdRng::seed_from_u64(seed),
        now: datetime!(2026-02-13 06:00 UTC),
        boot_id: Uuid::from_u128(u128::from(seed) + 1),
        seq: 0,
        open: BTreeMap::new(),
    };
    let events = (0..events)
        .map(|index| match index {
            restart if restart == events / 2 => day.restart(),
            index if index % SNAPSHOT == SNAPSHOT - 1 => day.snapshot(),
            _ => day.step(),
        })
        .collect();
    History {
        server,
        duplicate_cn: false,
        events,
    }
}

struct Day {
    rng: StdRng,
    now: OffsetDateTime,
    boot_id: Uuid,
    seq: u64,
    /// The connected users, each with what is known of the session.
    open: BTreeMap<u8, SessionFacts>,
}

impl Day {
    fn event(&mut self, event_type: EventType, sessions: Vec<SessionFacts>) -> Event {
        self.now += Duration::seconds(self.rng.random_range(0..=4));
        self.seq += 1;
        Event {
            event_id: Uuid::from_u128(self.rng.random()),
            event_type,
            event_time: self.now,
            seq: Some(self.seq),
            boot_id: Some(self.boot_id),
            sessions,
        }
    }

    fn step(&mut self) -> Event {
        let user = self.rng.random_range(0..USERS);
        match self.open.get(&user).cloned() {
            None => self.connect(user),
            Some(session) if self.rng.random_bool(0.5) => self.update(user, session),
            Some(session) => self.disconnect(user, session),
        }
    }

    fn connect(&mut self, user: u8) -> Event {
        let mut session = SessionFacts {
            common_name: format!("user-{user}"),
            real_ip: Some([203, 0, 113, user].into()),
            real_port: Some(self.rng.random_range(1024..u16::MAX)),
            virtual_ip: Some([10, 8, 0, user].into()),
            ..SessionFacts::default()
        };
        let event = self.event(EventType::SessionConnected, vec![session.clone()]);
        session.session_id = Some(event.event_id);
        (session.bytes_in, session.bytes_out) = (Some(0), Some(0));
        self.open.insert(user, session);
        event
    }

    fn update(&mut self, user: u8, mut session: SessionFacts) -> Event {
        for counter in [&mut session.bytes_in, &mut session.bytes_out] {
            *counter = counter.map(|bytes| bytes + self.rng.random_range(0..100_000));
        }
        self.open.insert(user, session.clone());
        self.event(EventType::SessionUpdated, vec![session])
    }

    /// Some agents know which session has ended, some only whose.
    fn disconnect(&mut self, user: u8, mut session: SessionFacts) -> Event {
        self.open.remove(&user);
        if self.rng.random_bool(0.3) {
            session = SessionFacts {
                common_name: session.common_name,
                ..SessionFacts::default()
            };
        }
        self.event(EventType::SessionDisconnected, vec![session])
    }

    fn snapshot(&mut self) -> Event {
        let sessions = self.open.values().cloned().collect();
        self.event(EventType::SessionSnapshot, sessions)
    }

    fn restart(&mut self) -> Event {
        self.open.clear();
        self.boot_id = Uuid::from_u128(self.rng.random());
        self.seq = 0;
        self.event(EventType::ServerStarted, Vec::new())
    }
}
