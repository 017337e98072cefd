//! Lists of sessions: those that the daemon gives, and those that the agent makes of them.

use std::collections::HashSet;

use agent_api::{Event, Session};
use openvpn::status::{ListedClient, StatusReport};
use time::{Duration, OffsetDateTime};

use super::session::{Key, Tracked, millis, seconds, update};
use super::{Tracker, Witness, stamp};

/// Time zones are whole quarters of an hour apart.
const ZONES: Duration = Duration::minutes(15);

/// By how much the host's local time is ahead, when a list that states it was written `apart` before it was read.
fn zone(apart: Duration) -> Duration {
    ZONES * (apart / ZONES).round()
}

impl Tracker {
    pub(super) fn report(&mut self, seen_at: OffsetDateTime, report: &StatusReport, events: &mut Vec<Event>) {
        self.listed_at = Some(seen_at);
        let is_local = report.version == 1;
        let zone = if is_local {
            zone(report.at - seen_at)
        } else {
            Duration::ZERO
        };
        let written_at = (report.at - zone).unix_timestamp();
        let mut listed: HashSet<Key> = HashSet::with_capacity(report.clients.len());
        for client in &report.clients {
            let Some(name) = self.name_of(client, is_local, zone) else {
                continue;
            };
            // Without an address only those that another source has told of: the others may still be connecting.
            if client.is_session() || self.sessions.contains_key(&name) {
                let key = self.alike.key_of(name, Witness::listed(client.cid));
                self.listed(seen_at, &key, client, events);
                listed.insert(key);
            }
        }
        for (key, session) in &mut self.sessions {
            // Who connected after the list was written cannot be in it.
            if !listed.contains(key) && key.connected_at < written_at {
                session.missing_since.get_or_insert(millis(seen_at));
            } else if listed.contains(key) {
                // Whatever was logged before this list was not its end.
                session.ending.take_if(|ending| ending.at < written_at);
            }
        }
    }

    /// Where the list says local time, as version 1 does, summer time may have begun since a session has.
    fn name_of(&self, client: &ListedClient, is_local: bool, zone: Duration) -> Option<Key> {
        let virtual_ip = client.virtual_ip.or(client.virtual_ip6);
        let key = Key {
            common_name: client.common_name.clone(),
            connected_at: (client.connected_at? - zone).unix_timestamp(),
            virtual_ip,
            nth: 0,
        };
        let same = |known: &&Key| {
            let apart = known.connected_at - key.connected_at;
            known.nth == 0 && known.virtual_ip == virtual_ip && apart % ZONES.whole_seconds() == 0
        };
        let known = is_local.then(|| self.of_user(&key.common_name).map(|(key, _)| key).find(same));
        Some(known.flatten().cloned().unwrap_or(key))
    }

    pub(super) fn listed(
        &mut self,
        seen_at: OffsetDateTime,
        key: &Key,
        client: &ListedClient,
        events: &mut Vec<Event>,
    ) {
        // Where the kernel moves the data, the daemon asks it for its counters before it writes a list. A handshake has bytes: 0 means
        // that it got no answer.
        let dco = self.dco;
        let counters = |bytes: Option<u64>| bytes.filter(|bytes| !dco || *bytes > 0);
        let Some(known) = self.sessions.get_mut(key) else {
            let session = Session {
                common_name: client.common_name.clone(),
                real_ip: client.real_ip,
                real_port: client.real_port,
                virtual_ip: client.virtual_ip,
                virtual_ip6: client.virtual_ip6,
                username: client.username.clone(),
                cid: client.cid,
                ..Session::default()
            };
            self.open(key.clone(), seconds(key.connected_at), session, events);
            if let Some(session) = self.sessions.get_mut(key) {
                session.learn(client);
                session.read(seen_at, counters(client.bytes_received), counters(client.bytes_sent));
            }
            return;
        };
        known.missing_since = None;
        known.cid = client.cid.or(known.cid);
        known.learn(client);
        known.read(seen_at, counters(client.bytes_received), counters(client.bytes_sent));
        // IPv6 is printed without a port: the same address is the same client.
        let floated =
            client.real_ip != known.real_ip || (client.real_port.is_some() && client.real_port != known.real_port);
        if client.real_ip.is_some() && floated {
            (known.real_ip, known.real_port) = (client.real_ip, client.real_port);
            let at = stamp(&mut self.latest, seen_at);
            events.push(update(key, known, at, &self.settings.namespace));
        }
        if let Some(cid) = client.cid {
            self.by_cid.insert(cid, key.clone());
        }
    }

    /// The sessions that are, as the last list tells: nobody knows more.
    pub(super) fn snapshot(&mut self, now: OffsetDateTime, events: &mut Vec<Event>) {
        self.snapshot_at = Some(now);
        let at = stamp(&mut self.latest, self.listed_at.unwrap_or(now));
        self.snapshot_as_of = Some(at);
        let is_there = |(key, session): &(&Key, &Tracked)| {
            key.connected_at <= at.unix_timestamp() && session.ending.is_none() && session.missing_since.is_none()
        };
        let listed = self.sessions.iter().filter(is_there).map(|(key, session)| {
            let mut facts = session.facts(key);
            facts.session_id = Some(session.id);
            facts.connected_at = Some(seconds(key.connected_at));
            facts
        });
        // The same list may be told twice, with another session in it.
        let [as_of, told_at] = [at, now].map(|at| millis(at).to_string());
        let id = self.derive(&["snapshot", &as_of, &told_at]);
        events.push(Event::snapshot(id, at, listed.collect()));
    }
}
