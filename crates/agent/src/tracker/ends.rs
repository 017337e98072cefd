//! How sessions end: by a hook, by a log line, by the daemon's own end, or without a word.

use agent_api::{BytesSource, Event, EventType, Session};
use openvpn::Environment;
use openvpn::management::ClientEnded;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::session::{Ending, Key, from_environment, from_millis, millis, seconds, update};
use super::{Tracker, Witness, stamp};

/// Ends of sessions that are remembered, so that a late report does not open them again.
const REMEMBERED_ENDS: usize = 20_000;
/// How long a hook may take to tell the final counters of a session whose end is already known.
const HOOK_GRACE: Duration = Duration::seconds(10);

impl Tracker {
    /// The daemon's life is over, and with it the sessions from before this second: the event that says so ends them.
    pub(super) fn forget_sessions(&mut self, before: i64) {
        let over = self.sessions.extract_if(.., |key, _| key.connected_at < before);
        let ids: Vec<Uuid> = over.map(|(_, session)| session.id).collect();
        self.by_cid.retain(|_, key| key.connected_at >= before);
        self.addresses.clear();
        self.listed_at = None;
        ids.into_iter().for_each(|id| self.remember_end(id, false));
    }

    pub(super) fn hook_disconnect(&mut self, environment: &Environment, events: &mut Vec<Event>) {
        let (Some(mut session), Some(connected_at), Some(lasted)) = (
            from_environment(environment),
            environment.connected_at(),
            environment.number("time_duration"),
        ) else {
            return;
        };
        let name = Key::of(&session, connected_at);
        let key = self.alike.key_of_end(name, Witness::of_connect(&session));
        let open = self.sessions.get(&key).map(|session| session.id);
        let id = open.unwrap_or_else(|| self.id_of(&key));
        // Told by the management interface and by the hook: once is enough.
        if self.ended_finally.get(&id) == Some(&true) {
            return;
        }
        let mut known = self.sessions.remove(&key);
        if let Some(known) = &mut known {
            known.tell_details(&mut session);
        }
        let was_ended = self.ended_finally.contains_key(&id);
        if known.is_none() && !was_ended {
            // Let in and thrown out at once by its own configuration: never a session.
            if lasted == 0 {
                return;
            }
            // Its connect was missed; its end states it as well.
            let connect = Event::about_session(id, EventType::SessionConnected, connected_at, session.clone());
            events.push(connect);
        }
        self.drop_cid(&key, known.as_ref());
        session.session_id = Some(id);
        with_final_counters(&mut session, environment);
        session.duration_seconds = Some(lasted);
        let logged = known.and_then(|known| known.ending).map(|ending| ending.reason);
        session.disconnect_reason = self.reason_of_end(id, logged);
        session.client = None;
        let lasted = Duration::seconds(i64::try_from(lasted).unwrap_or(i64::MAX));
        let at = connected_at.saturating_add(lasted);
        // After an end without final counters, another event brings them.
        let name = if was_ended { "final" } else { "end" };
        let event_id = self.derive(&[name, &id.to_string()]);
        events.push(Event::about_session(
            event_id,
            EventType::SessionDisconnected,
            at,
            session,
        ));
        self.remember_end(id, true);
    }

    /// A log line says that a client is over. Where hooks are, they will tell more.
    pub(super) fn logged_end(&mut self, heard_at: OffsetDateTime, ended: &ClientEnded, events: &mut Vec<Event>) {
        // At an address that nobody knows is one that has just floated, or another client that was refused: the next list tells.
        let found = self.sessions.iter_mut().find(|(key, session)| {
            key.common_name == ended.common_name
                && key.connected_at <= ended.at.unix_timestamp()
                && session.ending.is_none()
                && ended.real.is_of(session.real_ip, session.real_port)
        });
        let Some((key, session)) = found else { return };
        if self.settings.hooks || ended.real.port.is_none() {
            session.ending = Some(Ending {
                at: ended.at.unix_timestamp(),
                reason: ended.reason.clone(),
                heard_at: millis(heard_at),
            });
        } else {
            let key = key.clone();
            self.end(&key, ended.at, &ended.reason, events);
        }
    }

    /// Ends a session with the counters that were read last.
    pub(super) fn end(&mut self, key: &Key, at: OffsetDateTime, reason: &str, events: &mut Vec<Event>) {
        let Some(mut known) = self.sessions.remove(key) else {
            return;
        };
        self.drop_cid(key, Some(&known));
        let mut session = known.facts(key);
        known.tell_details(&mut session);
        session.session_id = Some(known.id);
        session.bytes_source = Some(match (known.bytes_in, known.bytes_out) {
            (None, None) => BytesSource::Missing,
            _ => BytesSource::LastPoll,
        });
        session.disconnect_reason = self.reason_of_end(known.id, Some(reason.to_owned()));
        let event_id = self.derive(&["end", &known.id.to_string()]);
        events.push(Event::about_session(
            event_id,
            EventType::SessionDisconnected,
            at,
            session,
        ));
        self.remember_end(known.id, false);
    }

    /// Ends that no hook has confirmed in time, and sessions that are gone without a word.
    pub(super) fn settle_ends(&mut self, now: OffsetDateTime, events: &mut Vec<Event>) {
        // Whichever way the clock was set.
        let overdue = |at: i64| (now - from_millis(at)).abs() >= HOOK_GRACE;
        let told: Vec<(Key, Ending)> = self
            .sessions
            .iter()
            .filter_map(|(key, session)| {
                let ending = session.ending.clone().filter(|ending| overdue(ending.heard_at))?;
                Some((key.clone(), ending))
            })
            .collect();
        for (key, ending) in told {
            self.end(&key, seconds(ending.at), &ending.reason, events);
        }
        let gone: Vec<Key> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.missing_since.is_some_and(overdue))
            .map(|(key, _)| key.clone())
            .collect();
        if gone.is_empty() {
            return;
        }
        let (killed, gone): (Vec<Key>, Vec<Key>) = gone.into_iter().partition(|key| self.is_killed(key));
        for key in &killed {
            // The list without it is the daemon's word that what was asked for is done.
            let missing_since = self.sessions.get(key).and_then(|session| session.missing_since);
            self.end(key, missing_since.map_or(now, from_millis), "", events);
        }
        if gone.is_empty() {
            return;
        }
        for key in &gone {
            let Some(mut session) = self.sessions.remove(key) else {
                continue;
            };
            if session.has_news() {
                let at = stamp(&mut self.latest, from_millis(session.read_at));
                events.push(update(key, &mut session, at, &self.settings.namespace));
            }
            self.drop_cid(key, Some(&session));
        }
        // Nobody saw when they ended: the list without them says so, and the product keeps the interval.
        self.snapshot(now, events);
    }

    /// Whether a list that is due should wait: one that lacks a session would end it a moment before its hook tells how it ended.
    /// Where sessions end all the time, it waits no longer than a hook may take.
    pub(super) fn awaits_hooks(&self, last: OffsetDateTime, now: OffsetDateTime) -> bool {
        (now - last).abs() < self.settings.snapshot_interval + HOOK_GRACE
            && self.sessions.values().any(|session| session.ending.is_some())
    }

    /// What the daemon logged; but what the agent did itself it knows better.
    fn reason_of_end(&self, id: Uuid, logged: Option<String>) -> Option<String> {
        match self.killed.contains(&id) {
            true => Some(agent_api::TERMINATED.to_owned()),
            false => logged.filter(|reason| !reason.is_empty()),
        }
    }

    fn is_killed(&self, key: &Key) -> bool {
        let session = self.sessions.get(key);
        session.is_some_and(|session| self.killed.contains(&session.id))
    }

    pub(super) fn remember_end(&mut self, id: Uuid, finally: bool) {
        if self.ended_finally.insert(id, finally).is_some() {
            return;
        }
        self.ended.push_back(id);
        if self.ended.len() > REMEMBERED_ENDS
            && let Some(oldest) = self.ended.pop_front()
        {
            self.ended_finally.remove(&oldest);
            self.killed.remove(&oldest);
        }
    }
}

fn with_final_counters(session: &mut Session, environment: &Environment) {
    session.bytes_in = environment.number("bytes_received");
    session.bytes_out = environment.number("bytes_sent");
    session.bytes_source = Some(match (session.bytes_in, session.bytes_out) {
        (Some(_), Some(_)) => BytesSource::Final,
        _ => BytesSource::Missing,
    });
}
