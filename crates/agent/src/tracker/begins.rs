//! How sessions begin: by the management interface's word, a hook, or a list.

use std::net::IpAddr;

use agent_api::{Event, EventType, Session};
use openvpn::Environment;
use time::{Duration, OffsetDateTime};

use super::alike::Witness;
use super::session::{Details, Key, Tracked, from_environment, millis};
use super::{Boot, Tracker};
use crate::inbox::REFUSED;

/// `hand-window`: by so much a later handshake may be through earlier. What is further apart is a clock that was set.
const LONGEST_HANDSHAKE: Duration = Duration::seconds(60);

impl Tracker {
    pub(super) fn established(
        &mut self,
        at: OffsetDateTime,
        cid: u64,
        environment: &Environment,
        events: &mut Vec<Event>,
    ) {
        self.recognise(environment, events);
        let addresses = self.addresses.remove(&cid).unwrap_or_default();
        // Only the environment of an end has a duration: this client was refused by its own configuration.
        if environment.number("time_duration").is_some() {
            return;
        }
        let Some(mut session) = from_environment(environment) else {
            return;
        };
        let own = |wanted: fn(&IpAddr) -> bool| addresses.iter().copied().find(wanted);
        session.virtual_ip = own(IpAddr::is_ipv4).or(session.virtual_ip);
        session.virtual_ip6 = own(IpAddr::is_ipv6).or(session.virtual_ip6);
        let connected_at = environment.connected_at().unwrap_or(at);
        session.cid = Some(cid);
        self.connected(connected_at, session, events);
    }

    pub(super) fn hook(&mut self, environment: &Environment, events: &mut Vec<Event>) {
        match environment.text("script_type") {
            Some("client-connect") => {
                self.recognise(environment, events);
                let (Some(session), Some(at)) = (from_environment(environment), environment.connected_at()) else {
                    return;
                };
                match environment.text(REFUSED) {
                    None => self.connected(at, session, events),
                    Some(_) => self.refused(at, &session),
                }
            }
            Some("client-disconnect") => self.hook_disconnect(environment, events),
            _ => {}
        }
    }

    /// Another process is another life. A hook may run late: it brings no earlier one back.
    pub(super) fn recognise(&mut self, environment: &Environment, events: &mut Vec<Event>) {
        let Some((started_at, pid)) = environment.daemon() else {
            return;
        };
        let started_at = i64::try_from(started_at).unwrap_or_default();
        let boot = Boot {
            started_at,
            pid,
            restarted_at: 0,
        };
        if self.is_new(boot) {
            self.begin(boot, events);
        }
    }

    pub(super) fn connected(&mut self, at: OffsetDateTime, session: Session, events: &mut Vec<Event>) {
        let name = Key::of(&session, at);
        let key = self.alike.key_of(name, Witness::of_connect(&session));
        self.open(key, at, session, events);
    }

    /// Never a session, whatever its client-disconnect will say.
    fn refused(&mut self, at: OffsetDateTime, session: &Session) {
        let key = self.alike.key_of(Key::of(session, at), Witness::of_connect(session));
        if !self.sessions.contains_key(&key) {
            self.remember_end(self.id_of(&key), true);
        }
    }

    /// Opens a session, or learns what is new of one that is open.
    pub(super) fn open(&mut self, key: Key, connected_at: OffsetDateTime, session: Session, events: &mut Vec<Event>) {
        let id = self.id_of(&key);
        let is_open = self.sessions.contains_key(&key);
        if !is_open && self.ended_finally.contains_key(&id) {
            return;
        }
        if let Some(cid) = session.cid {
            self.by_cid.insert(cid, key.clone());
        }
        if let Some(known) = self.sessions.get_mut(&key) {
            known.cid = session.cid.or(known.cid);
            known.missing_since = None;
            return;
        }
        let tracked = Tracked {
            id,
            cid: session.cid,
            real_ip: session.real_ip,
            real_port: session.real_port,
            virtual_ip6: session.virtual_ip6,
            bytes_in: session.bytes_in,
            bytes_out: session.bytes_out,
            read_at: millis(connected_at),
            told: (session.bytes_in, session.bytes_out, millis(connected_at)),
            details: Details::default(),
            ending: None,
            missing_since: None,
        };
        self.sessions.insert(key, tracked);
        self.alike
            .keep(self.sessions.len(), |key| self.sessions.contains_key(key));
        // The daemon stamps a connect with the second in which its handshake began. A list that was told after it, and lacks the
        // session, has disproved it: the next one follows at once.
        if self.snapshot_as_of.is_some_and(|at| at >= connected_at) {
            self.snapshot_at = None;
        }
        // Who holds an address last may have begun to shake hands first, or in the same second: the product goes by times.
        let mut told_at = connected_at;
        for address in [session.virtual_ip, session.virtual_ip6].into_iter().flatten() {
            let before = self.held_since.get(&address);
            let before = before.filter(|before| **before - connected_at < LONGEST_HANDSHAKE);
            told_at = before.map_or(told_at, |before| told_at.max(*before + Duration::MILLISECOND));
            self.held_since.insert(address, told_at);
        }
        events.push(Event::about_session(id, EventType::SessionConnected, told_at, session));
    }
}
