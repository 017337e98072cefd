//! What is known of the daemon's sessions, put together from all sources; what is new in it becomes events.
//!
//! A session is known by its common name, the second of its connect and its virtual address, which every source states, and where several
//! share these, by its place among them (`alike`). Its id follows from them, whatever happens to processes and the agent itself, so that
//! hooks, management interface, status reports and a restarted agent all speak of the same session.

mod alike;
mod begins;
mod ends;
mod listed;
mod lives;
mod memory;
mod session;
mod standing;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::IpAddr;

use agent_api::Event;
use openvpn::Environment;
use openvpn::management::Notice;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use alike::{Alike, Witness};
pub use lives::Boot;
pub use memory::Memory;
pub use session::Key;
use session::{Tracked, from_millis, millis, seconds, session_id, update};
pub use standing::{Standing, cid_of_session};

/// Updates that one tick brings at most.
const UPDATES_A_TICK: usize = 500;

/// How the tracker behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Ids are derived within it; one a VPN server.
    pub namespace: Uuid,
    /// The hooks are installed: they alone know final counters, so an end seen elsewhere waits for them.
    pub hooks: bool,
    /// At most one update of a session in this time, unless its address changed.
    pub update_interval: Duration,
    pub snapshot_interval: Duration,
}

impl Settings {
    /// The namespace of the ids of a VPN server.
    pub fn namespace_of(server_id: &str) -> Uuid {
        Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("openvpn-telemetry/{server_id}").as_bytes(),
        )
    }
}

/// Something a source has seen. Times are the host's clock.
#[derive(Debug, Clone)]
pub enum Observation {
    /// The daemon that the management interface belongs to, from its state history.
    Daemon(Boot),
    Notice {
        at: OffsetDateTime,
        notice: Notice,
    },
    /// From a hook; by then the daemon may have gone on.
    Hook(Environment),
    /// Time has passed.
    Tick(OffsetDateTime),
}

impl Observation {
    /// Whether the daemon's log tells of an end.
    pub fn is_logged_end(&self) -> bool {
        let Self::Notice { notice, .. } = self else {
            return false;
        };
        matches!(notice, Notice::ClientEnded(_))
    }
}

/// The tracker. Pure: the same observations give the same events.
#[derive(Debug)]
pub struct Tracker {
    settings: Settings,
    boot: Option<Boot>,
    /// Start and process of the daemons before this one, the oldest first.
    earlier: VecDeque<(i64, u64)>,
    sessions: BTreeMap<Key, Tracked>,
    by_cid: HashMap<u64, Key>,
    alike: Alike,
    ended: VecDeque<Uuid>,
    /// Whether the final counters of an ended session were told.
    ended_finally: HashMap<Uuid, bool>,
    /// The latest connect that was told of each virtual address, whoever had it and in whichever life of the daemon.
    held_since: HashMap<IpAddr, OffsetDateTime>,
    /// Sessions that the agent itself has ended, or is about to.
    killed: HashSet<Uuid>,
    /// With `management-client-auth`, addresses come before the client is established.
    addresses: HashMap<u64, Vec<IpAddr>>,
    /// A report has listed the sessions, so that a snapshot can tell which are gone.
    listed_at: Option<OffsetDateTime>,
    /// When the last snapshot was made, and the time that it states.
    snapshot_at: Option<OffsetDateTime>,
    snapshot_as_of: Option<OffsetDateTime>,
    /// The latest time that an update or a snapshot has stated; see [`stamp`].
    latest: Option<OffsetDateTime>,
    dco: bool,
}

impl Tracker {
    pub fn new(settings: Settings, memory: Memory) -> Self {
        let sessions: BTreeMap<Key, Tracked> = memory.sessions.into_iter().collect();
        let held_since = sessions
            .keys()
            .filter_map(|key| Some((key.virtual_ip?, seconds(key.connected_at))))
            .collect();
        let by_cid = sessions
            .iter()
            .filter_map(|(key, session)| Some((session.cid?, key.clone())))
            .collect();
        let mut alike = Alike::default();
        for (key, session) in &sessions {
            alike.restore(key, session.cid);
        }
        Self {
            settings,
            alike,
            boot: memory.boot,
            earlier: memory.earlier.into(),
            sessions,
            by_cid,
            ended: memory.ended.iter().map(|(id, _)| *id).collect(),
            ended_finally: memory.ended.into_iter().collect(),
            held_since,
            killed: HashSet::new(),
            addresses: HashMap::new(),
            listed_at: None,
            snapshot_at: None,
            snapshot_as_of: None,
            latest: memory.latest.map(from_millis),
            dco: false,
        }
    }

    /// To be stored, and given to [`Self::new`] again.
    pub fn memory(&self) -> Memory {
        Memory {
            boot: self.boot,
            earlier: self.earlier.iter().copied().collect(),
            sessions: self
                .sessions
                .iter()
                .map(|(key, session)| (key.clone(), session.clone()))
                .collect(),
            ended: self
                .ended
                .iter()
                .map(|id| (*id, self.ended_finally.get(id).copied().unwrap_or_default()))
                .collect(),
            latest: self.latest.map(millis),
        }
    }

    /// The life of the daemon, as far as anything has told of it.
    pub fn boot(&self) -> Option<Boot> {
        self.boot
    }

    /// The id of the daemon's life; before anything told of it, that of an unknown one.
    pub fn boot_id(&self) -> Uuid {
        let name = match self.boot {
            Some(boot) => format!("boot/{}/{}/{}", boot.started_at, boot.pid, boot.restarted_at),
            None => "boot/unknown".to_owned(),
        };
        Uuid::new_v5(&self.settings.namespace, name.as_bytes())
    }

    /// Number of open sessions.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Takes an observation in; what is new comes out as events, in order, without numbers.
    pub fn observe(&mut self, observation: Observation) -> Vec<Event> {
        let mut events = Vec::new();
        match observation {
            Observation::Daemon(boot) => self.daemon(boot, &mut events),
            Observation::Notice { at, notice } => self.notice(at, notice, &mut events),
            Observation::Hook(environment) => self.hook(&environment, &mut events),
            Observation::Tick(now) => self.tick(now, &mut events),
        }
        events
    }

    fn notice(&mut self, at: OffsetDateTime, notice: Notice, events: &mut Vec<Event>) {
        match notice {
            Notice::Established { cid, environment } => self.established(at, cid, &environment, events),
            Notice::Address { cid, address } => self.addresses.entry(cid).or_default().push(address),
            Notice::Disconnect { environment, .. } => self.hook_disconnect(&environment, events),
            Notice::ByteCount { cid, received, sent } => self.byte_count(at, cid, received, sent),
            Notice::Restarting { at } => self.restarting(at, events),
            Notice::Exiting => self.exiting(at, events),
            Notice::ClientEnded(ended) => self.logged_end(at, &ended, events),
            Notice::Status(report) => self.report(at, &report, events),
        }
    }

    fn byte_count(&mut self, at: OffsetDateTime, cid: u64, received: u64, sent: u64) {
        let Some(session) = self.by_cid.get(&cid).and_then(|key| self.sessions.get_mut(key)) else {
            return;
        };
        // Where the kernel moves the data, 2.6 counts only what it moves itself here: lists tell, and this is not known, which is not zero.
        if !self.dco {
            session.read(at, Some(received), Some(sent));
        }
    }

    fn tick(&mut self, now: OffsetDateTime, events: &mut Vec<Event>) {
        self.settle_ends(now, events);
        let interval = self.settings.update_interval.whole_milliseconds().unsigned_abs() as u64;
        let due = self
            .sessions
            .iter_mut()
            .filter(|(_, session)| session.has_news() && millis(now).abs_diff(session.told.2) >= interval);
        // The others follow with the next ticks: thousands at once would cost memory, and the product a peak.
        for (key, session) in due.take(UPDATES_A_TICK) {
            let at = stamp(&mut self.latest, from_millis(session.read_at));
            events.push(update(key, session, at, &self.settings.namespace));
            session.told.2 = millis(now);
        }
        // Whichever way the clock was set.
        let due = |at: OffsetDateTime| (now - at).abs() >= self.settings.snapshot_interval;
        // Only a fresh list tells which sessions there are; without one nothing is claimed.
        let fresh = self.listed_at.is_some_and(|at| !due(at));
        if fresh && self.snapshot_at.is_none_or(|at| due(at) && !self.awaits_hooks(at, now)) {
            self.snapshot(now, events);
        }
    }

    /// Tells the tracker whether the kernel moves the data.
    pub fn set_dco(&mut self, dco: bool) {
        self.dco = dco;
    }

    fn id_of(&self, key: &Key) -> Uuid {
        session_id(&self.settings.namespace, key)
    }

    /// An id that every source and every run of the agent derives alike.
    fn derive(&self, parts: &[&str]) -> Uuid {
        Uuid::new_v5(&self.settings.namespace, parts.join("\0").as_bytes())
    }

    fn drop_cid(&mut self, key: &Key, session: Option<&Tracked>) {
        if let Some(cid) = session.and_then(|session| session.cid)
            && self.by_cid.get(&cid) == Some(key)
        {
            self.by_cid.remove(&cid);
        }
    }
}

/// The time that an update or a snapshot states which was read at `at`. The product takes events in the order of their times, and
/// fewer bytes than before would be a new count: times never go back, neither with the host's clock nor with a list that is read late.
fn stamp(latest: &mut Option<OffsetDateTime>, at: OffsetDateTime) -> OffsetDateTime {
    *latest.insert(latest.map_or(at, |latest| latest.max(at)))
}
