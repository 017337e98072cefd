//! Lists of sessions: those that the daemon gives, and those that the agent makes of them.

use std::collections::HashSet;

use agent_api::{Event, Session};
use openvpn::status::{ListedClient, StatusReport};
use time::OffsetDateTime;

use super::Tracker;
use super::session::{Key, millis, seconds, update};

impl Tracker {
    pub(super) fn report(&mut self, seen_at: OffsetDateTime, report: &StatusReport, events: &mut Vec<Event>) {
        self.listed_at = Some(seen_at);
        let mut listed: HashSet<Key> = HashSet::with_capacity(report.clients.len());
        for client in report.clients.iter().filter(|client| client.is_session()) {
            let Some(key) = self.key_of(client) else { continue };
            self.listed(seen_at, &key, client, events);
            listed.insert(key);
        }
        for (key, session) in &mut self.sessions {
            // Who connected after the list was written cannot be in it.
            if !listed.contains(key) && key.connected_at < report.at.unix_timestamp() {
                session.missing_since.get_or_insert(millis(seen_at));
            }
        }
    }

    /// Version 1 rounds nothing off but says local time; the client id, where there is one, is the better witness.
    pub(super) fn key_of(&self, client: &ListedClient) -> Option<Key> {
        let virtual_ip = client.virtual_ip.or(client.virtual_ip6);
        let same = |key: &&Key| key.common_name == client.common_name && key.virtual_ip == virtual_ip;
        if let Some(key) = client.cid.and_then(|cid| self.by_cid.get(&cid)).filter(same) {
            return Some(key.clone());
        }
        Some(Key {
            common_name: client.common_name.clone(),
            connected_at: client.connected_at?.unix_timestamp(),
            virtual_ip,
        })
    }

    pub(super) fn listed(
        &mut self,
        seen_at: OffsetDateTime,
        key: &Key,
        client: &ListedClient,
        events: &mut Vec<Event>,
    ) {
        let dco = self.dco;
        let counters = |bytes: Option<u64>| bytes.filter(|_| !dco);
        let Some(known) = self.sessions.get_mut(key) else {
            let session = Session {
                common_name: client.common_name.clone(),
                real_ip: client.real_ip,
                real_port: client.real_port,
                virtual_ip: client.virtual_ip,
                virtual_ip6: client.virtual_ip6,
                username: client.username.clone(),
                cid: client.cid,
                cipher: client.cipher.clone(),
                ..Session::default()
            };
            self.open(seconds(key.connected_at), session, events);
            if let Some(session) = self.sessions.get_mut(key) {
                session.read(seen_at, counters(client.bytes_received), counters(client.bytes_sent));
            }
            return;
        };
        known.missing_since = None;
        known.cid = client.cid.or(known.cid);
        known.read(seen_at, counters(client.bytes_received), counters(client.bytes_sent));
        // IPv6 is printed without a port: the same address is the same client.
        let floated =
            client.real_ip != known.real_ip || (client.real_port.is_some() && client.real_port != known.real_port);
        if client.real_ip.is_some() && floated {
            (known.real_ip, known.real_port) = (client.real_ip, client.real_port);
            events.push(update(key, known, seen_at, &self.settings.namespace));
        }
        if let Some(cid) = client.cid {
            self.by_cid.insert(cid, key.clone());
        }
    }

    pub(super) fn snapshot(&mut self, now: OffsetDateTime, events: &mut Vec<Event>) {
        self.snapshot_at = Some(now);
        let listed = self.sessions.iter().map(|(key, session)| {
            let mut facts = session.facts(key);
            facts.session_id = Some(session.id);
            facts.connected_at = Some(seconds(key.connected_at));
            facts
        });
        let at = millis(now).to_string();
        events.push(Event::snapshot(self.derive(&["snapshot", &at]), now, listed.collect()));
    }
}
