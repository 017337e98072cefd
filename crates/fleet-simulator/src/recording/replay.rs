//! Turns a recording into the events that an agent beside that daemon would have sent.

use std::collections::HashMap;
use std::net::IpAddr;

use time::OffsetDateTime;
use uuid::Uuid;

use super::boots::{Boot, Reading, RecordedSession, SeenReport};
use super::history::boots;
use super::load::Recording;
use agent_api::{BytesSource, Event, EventType, Session};
use openvpn::status::ListedClient;

/// Under which ids of replayed events, sessions and boots are derived (UUID version 5).
const REPLAYED: Uuid = Uuid::from_u128(0x2f9c_61d4_50b7_4d0e_8a3f_9d51_c7e0_64b2);

/// The events of one boot, numbered from 1, in the order in which they took effect.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedBoot {
    pub boot_id: Uuid,
    pub events: Vec<Event>,
}

/// The events of a recording. The same recording and server name give the same events with the same ids.
pub fn replay(recording: &Recording, server_name: &str) -> Vec<ReplayedBoot> {
    let boots = boots(recording);
    let replayed = boots.iter().enumerate().filter(|(_, boot)| boot.began.is_some());
    replayed
        .map(|(restarts, boot)| BootEvents::new(server_name, restarts, boot).into_replayed())
        .collect()
}

/// In which order things of the same second took effect: the daemon's times have no fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Start,
    EndOfOlder,
    Connect,
    Update,
    Snapshot,
    /// The end of a session that a snapshot of the same second still lists, or that began in this second.
    End,
    Stop,
}

struct BootEvents<'a> {
    /// Prefix of what names the ids.
    scope: String,
    boot: &'a Boot,
    drafts: Vec<(OffsetDateTime, Rank, Event)>,
}

impl<'a> BootEvents<'a> {
    fn new(server_name: &str, restarts: usize, boot: &'a Boot) -> Self {
        let (started, pid) = boot.daemon.unwrap_or_default();
        let scope = format!("{server_name}/{started}/{pid}/{restarts}");
        Self {
            scope,
            boot,
            drafts: Vec::new(),
        }
    }

    fn into_replayed(mut self) -> ReplayedBoot {
        let boot = self.boot;
        self.add_server_event(EventType::ServerStarted, Rank::Start, boot.began);
        boot.sessions.iter().for_each(|session| self.add_session(session));
        boot.readings.iter().for_each(|reading| self.add_reading(reading));
        boot.reports.iter().for_each(|seen| self.add_snapshot(seen));
        self.add_server_event(EventType::ServerStopped, Rank::Stop, boot.stopped);
        // Stable: within a rank, in the order in which the daemon spoke.
        self.drafts.sort_by_key(|(at, rank, _)| (*at, *rank));
        let boot_id = self.id("boot");
        let numbered = (1..).zip(self.drafts).map(|(seq, (_, _, event))| Event {
            seq: Some(seq),
            ..event
        });
        let mut events: Vec<Event> = numbered.collect();
        drop_overtaken_counters(&mut events);
        ReplayedBoot { boot_id, events }
    }

    fn id(&self, source: &str) -> Uuid {
        Uuid::new_v5(&REPLAYED, format!("{}/{source}", self.scope).as_bytes())
    }

    fn session_id(&self, session: &RecordedSession) -> Uuid {
        let (common_name, connected_at, virtual_ip) = session.key();
        self.id(&format!(
            "connect/{common_name}/{}/{virtual_ip:?}",
            connected_at.unix_timestamp()
        ))
    }

    fn add(&mut self, rank: Rank, event: Event) {
        self.drafts.push((event.event_time_vpn, rank, event));
    }

    fn add_server_event(&mut self, event_type: EventType, rank: Rank, at: Option<OffsetDateTime>) {
        if let Some(at) = at {
            let event = Event::about_server(self.id(&format!("{event_type:?}")), event_type, at);
            self.add(rank, event);
        }
    }

    fn add_session(&mut self, session: &RecordedSession) {
        let id = self.session_id(session);
        let connected = Session {
            common_name: session.common_name.clone(),
            real_ip: session.real_ip,
            real_port: session.real_port,
            virtual_ip: session.virtual_ip,
            virtual_ip6: session.virtual_ip6,
            username: session.username.clone(),
            cid: session.cid,
            client: session.client.clone(),
            ..Session::default()
        };
        self.add(
            Rank::Connect,
            Event::about_session(id, EventType::SessionConnected, session.connected_at, connected),
        );
        if let Some(at) = session.ended_at() {
            let event_id = self.id(&format!("end/{id}"));
            let facts = Session {
                session_id: Some(id),
                ..self.end_facts(session, at)
            };
            let event = Event::about_session(event_id, EventType::SessionDisconnected, at, facts);
            self.add(self.end_rank(session, at), event);
        }
    }

    fn end_rank(&self, session: &RecordedSession, at: OffsetDateTime) -> Rank {
        let mut same_second = self.boot.reports.iter().filter(|seen| seen.report.at == at);
        let listed = same_second.any(|seen| lists(self.boot, seen, session));
        if listed || session.connected_at == at {
            Rank::End
        } else {
            Rank::EndOfOlder
        }
    }

    fn end_facts(&self, session: &RecordedSession, at: OffsetDateTime) -> Session {
        let reason = session.logged_end.as_ref().map(|end| match end.reason.as_str() {
            "" => "killed".to_owned(),
            reason => reason.to_owned(),
        });
        let polled = session.cid.and_then(|cid| self.boot.last_counters(cid, at));
        let (real_ip, real_port) = self.real_address(session, at);
        let facts = Session {
            common_name: session.common_name.clone(),
            virtual_ip: session.virtual_ip,
            virtual_ip6: session.virtual_ip6,
            cid: session.cid,
            disconnect_reason: reason,
            ..Session::default()
        };
        match &session.reported_end {
            Some(end) => Session {
                real_ip: end.real_ip,
                real_port: end.real_port,
                bytes_in: end.received,
                bytes_out: end.sent,
                bytes_source: Some(BytesSource::Final),
                duration_seconds: Some(end.duration_seconds),
                ..facts
            },
            None => Session {
                real_ip,
                real_port,
                bytes_in: polled.map(|(received, _)| received),
                bytes_out: polled.map(|(_, sent)| sent),
                bytes_source: Some(polled.map_or(BytesSource::Missing, |_| BytesSource::LastPoll)),
                ..facts
            },
        }
    }

    /// Where the client is at an instant: only `status` tells when it has moved.
    fn real_address(&self, session: &RecordedSession, at: OffsetDateTime) -> (Option<IpAddr>, Option<u16>) {
        let listed = session.cid.and_then(|cid| self.boot.last_row(cid, at));
        let moved = listed.filter(|row| row.real_ip.is_some() && row.real_ip != session.real_ip);
        moved.map_or((session.real_ip, session.real_port), |row| {
            (row.real_ip, row.real_port.or(session.real_port))
        })
    }

    fn add_reading(&mut self, reading: &Reading) {
        let Some(facts) = self.reading_facts(reading) else {
            return;
        };
        let name = format!("update/{}/{}", reading.cid, reading.at.unix_timestamp_nanos());
        let facts = Session {
            cid: Some(reading.cid),
            bytes_in: Some(reading.received),
            bytes_out: Some(reading.sent),
            ..facts
        };
        let event = Event::about_session(self.id(&name), EventType::SessionUpdated, reading.at, facts);
        self.add(Rank::Update, event);
    }

    /// Whose counters these are; `None` for refused clients and for what the end of the session covers anyway.
    fn reading_facts(&self, reading: &Reading) -> Option<Session> {
        if let Some(session) = self.boot.session_by_cid(reading.cid) {
            let over = session.ended_at().is_some_and(|ended| reading.at > ended);
            let (real_ip, real_port) = self.real_address(session, reading.at);
            return (!over && reading.at >= session.connected_at).then(|| Session {
                session_id: Some(self.session_id(session)),
                common_name: session.common_name.clone(),
                real_ip,
                real_port,
                virtual_ip: session.virtual_ip,
                virtual_ip6: session.virtual_ip6,
                ..Session::default()
            });
        }
        let row = self
            .boot
            .last_row(reading.cid, reading.at)
            .filter(|row| row.is_session())?;
        Some(Session {
            bytes_in: None,
            bytes_out: None,
            ..self.row_facts(row)
        })
    }

    fn add_snapshot(&mut self, seen: &SeenReport) {
        let at = seen.report.at;
        // A client is listed some time after the connect that the daemon dates back: such a list proves nothing of it.
        let connecting = |session: &RecordedSession| {
            session.connected_at <= at && seen.seen_at < session.known_at && !lists(self.boot, seen, session)
        };
        if self.boot.sessions.iter().any(connecting) {
            return;
        }
        let rows = seen.report.clients.iter().filter(|row| row.is_session());
        let sessions = rows
            .map(|row| Session {
                connected_at: row.connected_at,
                ..self.row_facts(row)
            })
            .collect();
        let event = Event::snapshot(self.id(&format!("snapshot/{}", at.unix_timestamp())), at, sessions);
        self.add(Rank::Snapshot, event);
    }

    fn row_facts(&self, row: &ListedClient) -> Session {
        let session = self.boot.listed_session(row);
        Session {
            session_id: session.map(|session| self.session_id(session)),
            common_name: row.common_name.clone(),
            real_ip: row.real_ip,
            real_port: row.real_port.or_else(|| session.and_then(|session| session.real_port)),
            virtual_ip: row.virtual_ip,
            virtual_ip6: row.virtual_ip6,
            bytes_in: row.bytes_received,
            bytes_out: row.bytes_sent,
            username: row.username.clone(),
            cid: row.cid,
            cipher: row.cipher.clone(),
            ..Session::default()
        }
    }
}

/// A list is dated to the whole second, so readings made before it in that second seem to come after it. Their lower
/// counters would look like a reset.
fn drop_overtaken_counters(events: &mut [Event]) {
    let mut highest: HashMap<(Option<Uuid>, Option<u64>), (u64, u64)> = HashMap::new();
    let facts = events
        .iter_mut()
        .flat_map(|event| event.session.iter_mut().chain(event.sessions.iter_mut().flatten()));
    for facts in facts {
        let (Some(received), Some(sent)) = (facts.bytes_in, facts.bytes_out) else {
            continue;
        };
        let known = highest.entry((facts.session_id, facts.cid)).or_insert((received, sent));
        if received < known.0 || sent < known.1 {
            (facts.bytes_in, facts.bytes_out) = (None, None);
        } else {
            *known = (received, sent);
        }
    }
}

fn lists(boot: &Boot, seen: &SeenReport, session: &RecordedSession) -> bool {
    let rows = seen.report.clients.iter().filter(|row| row.is_session());
    rows.filter_map(|row| boot.listed_session(row))
        .any(|listed| listed.key() == session.key())
}
