//! What happens on one VPN server.

mod orders;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::FleetSettings;
use super::calendar::{BUSIEST, intensity};
use super::dice::Dice;
use super::people::{person, users_of};
use super::pool::Pool;
use super::sessions::{Begun, LiveSession};
use agent_api::{BytesSource, Event, EventType, Heartbeat, Session, TERMINATED};

const DAY: f64 = 86_400.0;

/// Something that a server's agent comes to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// By the server's clock.
    pub at: OffsetDateTime,
    pub boot_id: Uuid,
    pub fact: PlannedFact,
}

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all facts are events")]
pub enum PlannedFact {
    /// Numbered without gaps from 1 within its boot.
    Event(Event),
    Heartbeat(Heartbeat),
}

/// What happens next, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Boot,
    /// Somebody may connect.
    Arrival,
    /// This user comes back.
    Return(usize),
    Leave {
        cid: u64,
        boot: u64,
    },
    Sample,
    Snapshot,
    Heartbeat,
    Stop,
}

/// Everything on one server in the order of time, without end.
#[derive(Debug)]
pub struct ServerPlan {
    settings: FleetSettings,
    full_agent: bool,
    users: Vec<usize>,
    dice: Dice,
    /// Due times in microseconds of simulated time; the number keeps the order of what is due at once.
    agenda: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    scheduled: u64,
    now: f64,
    planned: VecDeque<Planned>,
    boot: u64,
    boot_id: Uuid,
    booted: f64,
    running: bool,
    seq: u64,
    next_cid: u64,
    sessions: BTreeMap<u64, LiveSession>,
    /// Common names that may not connect, and until when.
    denied: HashMap<String, OffsetDateTime>,
    pool: Pool,
}

impl ServerPlan {
    pub(super) fn new(settings: &FleetSettings, index: usize) -> Self {
        let users = users_of(index, settings.servers.len().max(1), settings.users);
        let mut plan = Self {
            full_agent: index + settings.minimal_agents < settings.servers.len(),
            dice: Dice::new(settings.stream_seed(index, "plan")),
            pool: Pool::new(index, users.len()),
            users,
            settings: settings.clone(),
            agenda: BinaryHeap::new(),
            scheduled: 0,
            now: 0.0,
            planned: VecDeque::new(),
            boot: 0,
            boot_id: Uuid::nil(),
            booted: 0.0,
            running: false,
            seq: 0,
            next_cid: 0,
            sessions: BTreeMap::new(),
            denied: HashMap::new(),
        };
        plan.schedule(0.0, Happening::Boot);
        plan.schedule(1.0, Happening::Arrival);
        let sampling = [
            (settings.sample_seconds, Happening::Sample),
            (settings.snapshot_seconds, Happening::Snapshot),
            (settings.heartbeat_seconds, Happening::Heartbeat),
        ];
        for (every, happening) in sampling {
            let first = plan.dice.between(0.0, every);
            plan.schedule(first, happening);
        }
        plan
    }

    fn schedule(&mut self, after: f64, happening: Happening) {
        let due = ((self.now + after) * 1e6) as u64;
        self.scheduled += 1;
        self.agenda.push(Reverse((due, self.scheduled, happening)));
    }

    fn simulated_clock(&self) -> OffsetDateTime {
        self.settings.start + Duration::seconds(self.now as i64)
    }

    pub(super) fn advance(&mut self) {
        let Some(Reverse((due, _, happening))) = self.agenda.pop() else {
            return;
        };
        self.now = due as f64 / 1e6;
        match happening {
            Happening::Boot => self.boot(),
            Happening::Arrival => self.arrival(),
            Happening::Return(user) => self.come_back(user),
            Happening::Leave { cid, boot } if boot == self.boot => self.leave(cid),
            Happening::Leave { .. } => {}
            Happening::Sample => self.sample(),
            Happening::Snapshot => self.snapshot(),
            Happening::Heartbeat => self.heartbeat(),
            Happening::Stop => self.stop(),
        }
    }

    fn boot(&mut self) {
        self.boot += 1;
        self.boot_id = self.dice.uuid();
        self.booted = self.now;
        self.running = true;
        self.seq = 0;
        self.next_cid = 0;
        self.server_event(EventType::ServerStarted);
        let life = self.dice.exponential(self.settings.restart_seconds).max(600.0);
        self.schedule(life, Happening::Stop);
    }

    /// Most daemons say that they stop; a crash says nothing. Nobody reports the sessions' ends.
    fn stop(&mut self) {
        if self.dice.chance(0.7) {
            self.server_event(EventType::ServerStopped);
        }
        self.running = false;
        self.pool.free_all();
        let pause = self.dice.between(15.0, 120.0);
        for session in std::mem::take(&mut self.sessions).into_values() {
            if self.dice.chance(0.8) {
                let back = pause + self.dice.between(1.0, 60.0);
                self.schedule(back, Happening::Return(session.user));
            }
        }
        self.schedule(pause, Happening::Boot);
    }

    /// Candidates come at the rate of the busiest hour; as many are let through as the present hour has.
    fn arrival(&mut self) {
        let mean = DAY / (self.settings.connects_per_day * BUSIEST * self.users.len().max(1) as f64);
        let next = self.dice.exponential(mean);
        self.schedule(next, Happening::Arrival);
        if !self.users.is_empty() && self.dice.chance(intensity(self.simulated_clock()) / BUSIEST) {
            let user = self.users[self.dice.index(self.users.len())];
            // Who is connected stays so, or takes a second device, which ends the session of the first.
            if !self.is_connected(user) || self.dice.chance(0.05) {
                self.connect(user);
            }
        }
    }

    fn is_connected(&self, user: usize) -> bool {
        self.sessions.values().any(|session| session.user == user)
    }

    fn connect(&mut self, user: usize) {
        if !self.running || self.refuses(user) {
            return;
        }
        self.drop_sessions_of(user);
        let Some(place) = self.pool.take(user) else { return };
        let id = self.dice.uuid();
        let cid = self.next_cid;
        self.next_cid += 1;
        let begun = Begun {
            id,
            user,
            cid,
            place,
            connected_at: self.clock(),
        };
        let session = LiveSession::begin(begun, person(user), self.now, &mut self.dice);
        let facts = session.connected(self.pool.virtual_ip(place), self.pool.virtual_ip6(place));
        let facts = if self.full_agent { facts } else { minimal(facts) };
        self.push_event(Event::about_session(
            id,
            EventType::SessionConnected,
            begun.connected_at,
            facts,
        ));
        self.sessions.insert(cid, session);
        let duration = LiveSession::duration(&mut self.dice);
        self.schedule(duration, Happening::Leave { cid, boot: self.boot });
    }

    /// Without `duplicate-cn` the daemon drops the older session, and says nothing of it.
    fn drop_sessions_of(&mut self, user: usize) {
        let old: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.user == user)
            .map(|(cid, _)| *cid)
            .collect();
        for cid in old {
            if let Some(session) = self.sessions.remove(&cid) {
                self.pool.free(session.place);
            }
        }
    }

    fn leave(&mut self, cid: u64) {
        let (reason, comes_back) = match self.dice.index(20) {
            0..=12 => ("delayed-exit", 0.1),
            13..=17 => ("ping-restart", 0.6),
            _ => ("connection-reset", 0.8),
        };
        let Some(user) = self.end(cid, reason) else { return };
        if self.dice.chance(comes_back) {
            let pause = self.dice.between(2.0, 90.0);
            self.schedule(pause, Happening::Return(user));
        }
    }

    /// Ends a session, and tells whose it was.
    fn end(&mut self, cid: u64, reason: &str) -> Option<usize> {
        let mut session = self.sessions.remove(&cid)?;
        session.count(self.now, &mut self.dice);
        let facts = session.disconnected(self.pool.virtual_ip(session.place), self.clock(), reason);
        // An agent knows what it has ended itself.
        let facts = if self.full_agent || reason == TERMINATED {
            facts
        } else {
            Session {
                session_id: None,
                ..minimal(facts)
            }
        };
        self.pool.free(session.place);
        let id = self.dice.uuid();
        self.push_event(Event::about_session(
            id,
            EventType::SessionDisconnected,
            self.clock(),
            facts,
        ));
        Some(session.user)
    }

    fn sample(&mut self) {
        self.schedule(self.settings.sample_seconds, Happening::Sample);
        if !self.running || !self.full_agent {
            return;
        }
        let mut updates = Vec::with_capacity(self.sessions.len());
        for session in self.sessions.values_mut() {
            session.count(self.now, &mut self.dice);
            if self.dice.chance(0.000_5) {
                session.float(&mut self.dice);
            }
            updates.push((self.dice.uuid(), session.updated(self.pool.virtual_ip(session.place))));
        }
        let at = self.clock();
        for (id, facts) in updates {
            self.push_event(Event::about_session(id, EventType::SessionUpdated, at, facts));
        }
    }

    fn snapshot(&mut self) {
        self.schedule(self.settings.snapshot_seconds, Happening::Snapshot);
        if !self.running || !self.full_agent {
            return;
        }
        for session in self.sessions.values_mut() {
            session.count(self.now, &mut self.dice);
        }
        let listed = |session: &LiveSession| {
            session.listed(
                self.pool.virtual_ip(session.place),
                self.pool.virtual_ip6(session.place),
            )
        };
        let sessions = self.sessions.values().map(listed).collect();
        let id = self.dice.uuid();
        self.push_event(Event::snapshot(id, self.clock(), sessions));
    }

    fn heartbeat(&mut self) {
        self.schedule(self.settings.heartbeat_seconds, Happening::Heartbeat);
        if !self.running {
            return;
        }
        let count = self.sessions.len() as f64;
        let cpu_percent = (3.0 + 0.5 * count + self.dice.log_normal(2.0, 0.8)).min(99.0);
        let heartbeat = Heartbeat {
            boot_id: Some(self.boot_id),
            cpu_percent: Some(rounded(cpu_percent)),
            memory_percent: Some(rounded((22.0 + 0.05 * count + self.dice.between(0.0, 2.0)).min(97.0))),
            load_1m: Some(rounded(cpu_percent / 100.0 * 2.0 * self.dice.between(0.8, 1.3))),
            openvpn_version: Some("2.6.14".to_owned()),
            uptime_seconds: Some(((self.now - self.booted) / self.settings.speed) as u64),
            session_count: Some(self.sessions.len() as u64),
            dco: Some(false),
            agent_version: env!("CARGO_PKG_VERSION"),
            spool_depth: 0,
            oldest_unsent_at: None,
        };
        self.push(PlannedFact::Heartbeat(heartbeat));
    }

    /// What has come of it.
    pub(super) fn take_planned(&mut self) -> VecDeque<Planned> {
        std::mem::take(&mut self.planned)
    }

    fn server_event(&mut self, event_type: EventType) {
        let id = self.dice.uuid();
        self.push_event(Event::about_server(id, event_type, self.clock()));
    }

    fn push_event(&mut self, mut event: Event) {
        self.seq += 1;
        event.seq = Some(self.seq);
        self.push(PlannedFact::Event(event));
    }

    fn push(&mut self, fact: PlannedFact) {
        self.planned.push_back(Planned {
            at: self.clock(),
            boot_id: self.boot_id,
            fact,
        });
    }
}

impl Iterator for ServerPlan {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        while self.planned.is_empty() {
            self.advance();
        }
        self.planned.pop_front()
    }
}

/// What an agent knows that only listens to connect and disconnect scripts.
fn minimal(facts: Session) -> Session {
    Session {
        common_name: facts.common_name,
        real_ip: facts.real_ip,
        real_port: facts.real_port,
        virtual_ip: facts.virtual_ip,
        bytes_in: facts.bytes_source.and(facts.bytes_in),
        bytes_out: facts.bytes_source.and(facts.bytes_out),
        bytes_source: facts.bytes_source.map(|_| BytesSource::Final),
        ..Session::default()
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
