use std::net::IpAddr;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::fact::{Fact, Takeover};
use crate::event::{BytesSource, Event, EventType, SessionFacts};
use crate::session::{End, EndedBy, Session, TERMINATED};

/// OpenVPN stamps a connect with the start of its handshake, which may take up to `hand-window` (60 s). What is said of a
/// session within this time after a disproof of its life may therefore still belong to it.
pub const GRACE: Duration = Duration::seconds(60);

/// Two statements of when a session connected mean the same session when they are no further apart.
pub const SAME_CONNECT: Duration = Duration::seconds(10);

/// Names the sessions that only snapshots know and that no agent has given an id.
const SNAPSHOT_SESSIONS: Uuid = Uuid::from_u128(0x6f1d_5bd8_7d0b_4c6e_9a53_2f0a_4e7c_1b90);

/// What an event did to its track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It opened this session.
    Opened(Uuid),
    /// It belongs to this session.
    Matched(Uuid),
    /// It names a session nobody has opened yet, and waits for it.
    Unmatched,
}

/// The sessions of one VPN user on one VPN server, with facts applied in the order of their keys.
#[derive(Debug)]
pub struct Track<'a> {
    server_name: &'a str,
    common_name: &'a str,
    duplicate_cn: bool,
    /// Every session that a fact to come may concern, in no order. Facts add to it and never remove.
    pub sessions: Vec<Session>,
    /// Events that name a session by an id nobody has opened yet.
    waiting: Vec<(&'a Event, &'a SessionFacts)>,
    /// The effect of each event so far; a later effect of the same event replaces the earlier one.
    pub effects: Vec<(Uuid, Effect)>,
}

impl<'a> Track<'a> {
    pub fn new(server_name: &'a str, common_name: &'a str, duplicate_cn: bool, sessions: Vec<Session>) -> Self {
        Self {
            server_name,
            common_name,
            duplicate_cn,
            sessions,
            waiting: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Takes events from before the first fact that name a session by an id nobody has opened yet.
    pub fn wait_for(&mut self, events: impl Iterator<Item = &'a Event>) {
        self.waiting
            .extend(events.filter_map(|event| Some((event, event.sessions.first()?))));
    }

    /// Applies facts, which must be in the order of [`Fact::key`] and after all that was applied before.
    pub fn apply_all(&mut self, facts: &[Fact<'a>]) {
        for fact in facts {
            self.apply(fact);
        }
    }

    fn apply(&mut self, fact: &Fact<'a>) {
        match fact {
            Fact::Boot { at, .. } => self.restart(*at),
            Fact::Restart(event) => self.restart(event.event_time),
            Fact::Takeover(takeover) => self.take_over(takeover),
            Fact::Snapshot { event, entries } => self.snapshot(event, entries),
            Fact::Session { event, facts } => match event.event_type {
                EventType::SessionConnected => self.connect(event, facts),
                EventType::SessionDisconnected => self.disconnect(event, facts),
                _ => self.update(event, facts),
            },
        }
    }

    fn restart(&mut self, at: OffsetDateTime) {
        for session in self
            .sessions
            .iter_mut()
            .filter(|session| session.is_open() && session.connected_at < at)
        {
            infer_end(session, EndedBy::ServerRestart, at);
        }
    }

    fn take_over(&mut self, takeover: &Takeover) {
        let newer = (takeover.at, takeover.session_id);
        for session in self.sessions.iter_mut().filter(|session| session.is_open()) {
            if (session.connected_at, session.id) < newer
                && shares_address(session, takeover.virtual_ip, takeover.virtual_ip6)
            {
                infer_end(session, EndedBy::Superseded, takeover.at);
            }
        }
    }

    fn connect(&mut self, event: &'a Event, facts: &'a SessionFacts) {
        let duplicate_cn = self.duplicate_cn;
        for session in self
            .sessions
            .iter_mut()
            .filter(|session| session.is_open() && session.id != event.event_id)
        {
            if !duplicate_cn || shares_address(session, facts.virtual_ip, facts.virtual_ip6) {
                infer_end(session, EndedBy::Superseded, event.event_time);
            }
        }
        match self.sessions.iter_mut().find(|session| session.id == event.event_id) {
            // A snapshot stamped before the connect has already shown it.
            Some(known) => claim(known, event, facts),
            None => self
                .sessions
                .push(Session::open(event.event_id, event.event_time, facts)),
        }
        self.effects.push((event.event_id, Effect::Opened(event.event_id)));
        self.apply_waiting(event.event_id);
    }

    /// Applies what was said of a session before it was opened.
    fn apply_waiting(&mut self, id: Uuid) {
        let (due, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, facts)| facts.session_id == Some(id));
        self.waiting = waiting;
        let due: Vec<_> = due;
        for (event, facts) in due {
            if let Some(session) = self.sessions.iter_mut().find(|session| session.id == id) {
                let known = session.early_event_at.unwrap_or(event.event_time);
                session.early_event_at = Some(known.min(event.event_time));
            }
            match event.event_type {
                EventType::SessionDisconnected => self.disconnect(event, facts),
                _ => self.update(event, facts),
            }
        }
    }

    fn disconnect(&mut self, event: &'a Event, facts: &'a SessionFacts) {
        let Some(index) = self.target(event, facts) else { return };
        let session = &mut self.sessions[index];
        if !is_reported(session) {
            report_end(session, event.event_time, facts);
        } else if facts.bytes_source == Some(BytesSource::Final) && session.bytes_source != facts.bytes_source {
            // The end was known before its exact counters: a hook came late.
            session.count(facts, BytesSource::Final);
            session.duration_seconds = facts.duration_seconds.or(session.duration_seconds);
        }
        self.effects.push((event.event_id, Effect::Matched(session.id)));
    }

    fn update(&mut self, event: &'a Event, facts: &'a SessionFacts) {
        let Some(index) = self.target(event, facts) else { return };
        let session = &mut self.sessions[index];
        prove_alive(session, event.event_time, facts);
        self.effects.push((event.event_id, Effect::Matched(session.id)));
    }

    /// The session that an update or disconnect speaks of; notes the event as unmatched when there is none.
    fn target(&mut self, event: &'a Event, facts: &'a SessionFacts) -> Option<usize> {
        let found = match facts.session_id {
            Some(id) => self.sessions.iter().position(|session| session.id == id),
            None => self.latest(facts.virtual_ip, facts.virtual_ip6).filter(|index| {
                let session = &self.sessions[*index];
                // What is said after the session was over belongs to a later one that nobody has reported yet.
                session
                    .end
                    .is_none_or(|end| !end.ended_by.is_reported() && event.event_time <= end.not_after + GRACE)
            }),
        };
        if found.is_none() {
            self.effects.push((event.event_id, Effect::Unmatched));
            if facts.session_id.is_some() {
                self.waiting.push((event, facts));
            }
        }
        found
    }

    /// The session with the latest connect that may have these addresses.
    fn latest(&self, virtual_ip: Option<IpAddr>, virtual_ip6: Option<IpAddr>) -> Option<usize> {
        let candidates = self.sessions.iter().enumerate().filter(|(_, session)| {
            virtual_ip.is_none_or(|ip| session.virtual_ip == Some(ip))
                && virtual_ip6.is_none_or(|ip| session.virtual_ip6 == Some(ip))
        });
        candidates
            .max_by_key(|(_, session)| (session.connected_at, session.id))
            .map(|(index, _)| index)
    }

    fn snapshot(&mut self, event: &'a Event, entries: &[&'a SessionFacts]) {
        let mut listed = vec![false; self.sessions.len()];
        let mut opened = Vec::new();
        for entry in entries {
            match self.listed_session(event, entry, &listed) {
                Listed::Known(index) => {
                    listed[index] = true;
                    prove_alive(&mut self.sessions[index], event.event_time, entry);
                }
                Listed::Stale(index) => listed[index] = true,
                Listed::Unknown => {
                    self.open_listed(event, entry);
                    listed.push(true);
                    opened.extend(entry.session_id);
                }
            }
        }
        for (session, _) in self.sessions.iter_mut().zip(listed).filter(|(_, listed)| !listed) {
            if session.is_open() {
                infer_end(session, EndedBy::Reconciled, event.event_time);
            }
        }
        for id in opened {
            self.apply_waiting(id);
        }
    }

    fn listed_session(&self, event: &Event, entry: &SessionFacts, listed: &[bool]) -> Listed {
        if let Some(id) = entry.session_id {
            return match self.sessions.iter().position(|session| session.id == id) {
                Some(index) if is_reported(&self.sessions[index]) => Listed::Stale(index),
                Some(index) => Listed::Known(index),
                None => Listed::Unknown,
            };
        }
        let best = self
            .sessions
            .iter()
            .enumerate()
            .filter(|(index, session)| !listed[*index] && may_be_listed_as(session, entry))
            .max_by_key(|(_, session)| (session.is_open(), session.connected_at, session.id));
        match best {
            Some((index, session)) if session.is_open() => Listed::Known(index),
            // Without the daemon's own connect time nothing tells an ended session from a new one.
            Some(_) if entry.connected_at.is_none() => Listed::Unknown,
            Some((index, session)) if is_reported(session) => Listed::Stale(index),
            Some((index, _)) => Listed::Known(index),
            None => {
                debug_assert!(event.event_type == EventType::SessionSnapshot);
                Listed::Unknown
            }
        }
    }

    fn open_listed(&mut self, event: &Event, entry: &SessionFacts) {
        let connected_at = entry
            .connected_at
            .map_or(event.event_time, |at| at.min(event.event_time));
        let id = entry
            .session_id
            .unwrap_or_else(|| self.snapshot_session_id(connected_at, entry));
        let mut session = Session::open(id, connected_at, entry);
        session.opened_by_snapshot = true;
        session.last_seen_at = event.event_time;
        self.sessions.push(session);
        self.effects.push((event.event_id, Effect::Opened(id)));
    }

    fn snapshot_session_id(&self, connected_at: OffsetDateTime, entry: &SessionFacts) -> Uuid {
        let name = format!(
            "{}\n{}\n{}\n{:?}\n{:?}\n{:?}:{:?}",
            self.server_name,
            self.common_name,
            connected_at.unix_timestamp_nanos(),
            entry.virtual_ip,
            entry.virtual_ip6,
            entry.real_ip,
            entry.real_port
        );
        let mut id = Uuid::new_v5(&SNAPSHOT_SESSIONS, name.as_bytes());
        // A server with `duplicate-cn` may list sessions that are alike in all that it tells of them.
        while self.sessions.iter().any(|session| session.id == id) {
            id = Uuid::new_v5(&SNAPSHOT_SESSIONS, id.as_bytes());
        }
        id
    }
}

enum Listed {
    Known(usize),
    /// The daemon's list still shows a session that it has reported as ended.
    Stale(usize),
    Unknown,
}

fn is_reported(session: &Session) -> bool {
    session.end.is_some_and(|end| end.ended_by.is_reported())
}

fn may_be_listed_as(session: &Session, entry: &SessionFacts) -> bool {
    let same_or_unknown = |one: Option<IpAddr>, other: Option<IpAddr>| one.is_none() || other.is_none() || one == other;
    same_or_unknown(session.virtual_ip, entry.virtual_ip)
        && same_or_unknown(session.virtual_ip6, entry.virtual_ip6)
        && entry
            .connected_at
            .is_none_or(|at| (at - session.connected_at).abs() <= SAME_CONNECT)
}

fn shares_address(session: &Session, virtual_ip: Option<IpAddr>, virtual_ip6: Option<IpAddr>) -> bool {
    (virtual_ip.is_some() && session.virtual_ip == virtual_ip)
        || (virtual_ip6.is_some() && session.virtual_ip6 == virtual_ip6)
}

/// The connect event of a session that a snapshot had opened.
fn claim(session: &mut Session, event: &Event, facts: &SessionFacts) {
    session.opened_by_snapshot = false;
    session.connected_at = event.event_time;
    session.last_seen_at = session.last_seen_at.max(event.event_time);
    if let Some(end) = &mut session.end {
        end.disconnected_at = end.disconnected_at.max(event.event_time);
        end.not_after = end.not_after.max(event.event_time);
    }
    session.learn(facts);
}

/// Proof of life refutes an inferred end, unless it may have been said of the time before that end.
fn prove_alive(session: &mut Session, at: OffsetDateTime, facts: &SessionFacts) {
    if is_reported(session) {
        return;
    }
    session.learn(facts);
    session.count(facts, BytesSource::LastPoll);
    let Some(end) = session.end.filter(|end| !refutes(at, end)) else {
        session.end = None;
        session.last_seen_at = session.last_seen_at.max(at);
        return;
    };
    // The disproof stays where it is: proof that keeps coming must refute it in the end.
    session.last_seen_at = session.last_seen_at.max(at.min(end.not_after));
    session.end = Some(End {
        disconnected_at: session.last_seen_at,
        ..end
    });
}

fn refutes(proof: OffsetDateTime, end: &End) -> bool {
    match end.ended_by {
        // A list that lacked it was mistaken: it was still shaking hands.
        EndedBy::Reconciled => proof > end.not_after,
        _ => proof > end.not_after + GRACE,
    }
}

fn report_end(session: &mut Session, at: OffsetDateTime, facts: &SessionFacts) {
    // Clocks may step back within a session; a duration is never negative.
    let at = at.max(session.connected_at);
    session.learn(facts);
    session.count(facts, BytesSource::Final);
    session.last_seen_at = at;
    session.disconnect_reason.clone_from(&facts.disconnect_reason);
    session.duration_seconds = facts.duration_seconds;
    let ended_by = match facts.disconnect_reason.as_deref() {
        Some(TERMINATED) => EndedBy::Terminated,
        _ => EndedBy::Reported,
    };
    session.end = Some(End {
        ended_by,
        disconnected_at: at,
        not_after: at,
    });
}

fn infer_end(session: &mut Session, ended_by: EndedBy, not_after: OffsetDateTime) {
    let not_after = not_after.max(session.last_seen_at);
    session.end = Some(End {
        ended_by,
        disconnected_at: session.last_seen_at,
        not_after,
    });
}
