//! The sessions of each life of a recorded daemon, put together from everything that tells of them.

use std::net::IpAddr;

use time::{Duration, OffsetDateTime};

use agent_api::Client;
use openvpn::environment::Environment;
use openvpn::management::ClientEnded;
use openvpn::status::{ListedClient, StatusReport};

/// One life of the daemon, as far as it was recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Boot {
    /// The earliest sign of it.
    pub began: Option<OffsetDateTime>,
    /// The process: start time (seconds) and id.
    pub daemon: Option<(u64, u64)>,
    pub stopped: Option<OffsetDateTime>,
    pub sessions: Vec<RecordedSession>,
    /// Clients that were let in and thrown out at once, because of `disable` in their configuration.
    pub refused: Vec<SessionKey>,
    pub readings: Vec<Reading>,
    pub reports: Vec<SeenReport>,
}

/// Tells sessions of one boot apart in every source: common name, connect time, virtual IPv4.
pub(crate) type SessionKey = (String, OffsetDateTime, Option<IpAddr>);

/// A `>BYTECOUNT_CLI`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub at: OffsetDateTime,
    pub cid: u64,
    pub received: u64,
    pub sent: u64,
}

/// A status report and when it was read.
#[derive(Debug, Clone)]
pub(crate) struct SeenReport {
    pub seen_at: OffsetDateTime,
    pub report: StatusReport,
}

#[derive(Debug, Clone)]
pub(crate) struct RecordedSession {
    pub common_name: String,
    pub connected_at: OffsetDateTime,
    /// When it was first heard of; the daemon dates a connect back to the start of its handshake.
    pub known_at: OffsetDateTime,
    pub cid: Option<u64>,
    pub real_ip: Option<IpAddr>,
    pub real_port: Option<u16>,
    pub virtual_ip: Option<IpAddr>,
    pub virtual_ip6: Option<IpAddr>,
    pub username: Option<String>,
    pub client: Option<Client>,
    /// By `>CLIENT:DISCONNECT` or by the script.
    pub reported_end: Option<ReportedEnd>,
    /// By a log line.
    pub logged_end: Option<ClientEnded>,
}

/// The daemon's own totals.
#[derive(Debug, Clone)]
pub(crate) struct ReportedEnd {
    pub at: OffsetDateTime,
    pub duration_seconds: u64,
    pub received: Option<u64>,
    pub sent: Option<u64>,
    pub real_ip: Option<IpAddr>,
    pub real_port: Option<u16>,
}

impl Boot {
    pub(crate) fn session_by_cid(&self, cid: u64) -> Option<&RecordedSession> {
        self.sessions.iter().find(|session| session.cid == Some(cid))
    }

    pub(crate) fn session_by_cid_mut(&mut self, cid: u64) -> Option<&mut RecordedSession> {
        self.sessions.iter_mut().find(|session| session.cid == Some(cid))
    }

    pub(crate) fn session_by_key_mut(&mut self, key: &SessionKey) -> Option<&mut RecordedSession> {
        self.sessions.iter_mut().find(|session| session.key() == *key)
    }

    /// The session that a row of a report shows. Version 1 has no client ids.
    pub(crate) fn listed_session(&self, listed: &ListedClient) -> Option<&RecordedSession> {
        match listed.cid {
            Some(cid) => self.session_by_cid(cid),
            None => self.sessions.iter().find(|session| {
                session.common_name == listed.common_name
                    && session.virtual_ip == listed.virtual_ip
                    && listed.connected_at.is_none_or(|at| at == session.connected_at)
            }),
        }
    }

    /// The row that showed a client id last, up to an instant.
    pub(crate) fn last_row(&self, cid: u64, until: OffsetDateTime) -> Option<&ListedClient> {
        let seen = self.reports.iter().filter(|seen| seen.seen_at <= until);
        let row = |seen: &'_ SeenReport| seen.report.clients.iter().position(|client| client.cid == Some(cid));
        seen.filter_map(|seen| Some((seen.seen_at, &seen.report.clients[row(seen)?])))
            .max_by_key(|(seen_at, _)| *seen_at)
            .map(|(_, client)| client)
    }

    /// The last counters known of a client up to an instant: received, sent.
    pub(crate) fn last_counters(&self, cid: u64, until: OffsetDateTime) -> Option<(u64, u64)> {
        let readings = self
            .readings
            .iter()
            .filter(|reading| reading.cid == cid && reading.at <= until);
        let read = readings.map(|reading| (reading.received, reading.sent));
        let listed = self
            .last_row(cid, until)
            .and_then(|row| Some((row.bytes_received?, row.bytes_sent?)));
        read.chain(listed).max()
    }
}

impl RecordedSession {
    pub(crate) fn key(&self) -> SessionKey {
        (self.common_name.clone(), self.connected_at, self.virtual_ip)
    }

    /// A session from the environment of its connect or, when nothing else told of it, of its end.
    pub(crate) fn from_environment(environment: &Environment, known_at: OffsetDateTime) -> Option<Self> {
        let mut session = Self {
            common_name: environment.common_name()?.to_owned(),
            connected_at: known_at.replace_nanosecond(0).unwrap_or(known_at),
            known_at,
            cid: None,
            real_ip: None,
            real_port: None,
            virtual_ip: None,
            virtual_ip6: None,
            username: None,
            client: None,
            reported_end: None,
            logged_end: None,
        };
        session.learn(environment);
        Some(session)
    }

    /// Takes in what is not known yet; the connect time may have been a guess.
    pub(crate) fn learn(&mut self, environment: &Environment) {
        self.connected_at = environment.connected_at().unwrap_or(self.connected_at);
        self.known_at = self.known_at.max(self.connected_at);
        self.real_ip = self.real_ip.or_else(|| environment.real_ip());
        self.real_port = self.real_port.or_else(|| environment.real_port());
        self.virtual_ip = self.virtual_ip.or_else(|| environment.virtual_ip());
        self.virtual_ip6 = self.virtual_ip6.or_else(|| environment.virtual_ip6());
        self.username = self
            .username
            .take()
            .or_else(|| environment.text("username").map(str::to_owned));
        self.client = self.client.take().or_else(|| environment.client().map(Client::from));
    }

    /// Takes in the environment of the session's end; `false` when it does not tell when that was.
    pub(crate) fn report_end(&mut self, environment: &Environment) -> bool {
        self.learn(environment);
        let Some(duration_seconds) = environment.number("time_duration") else {
            return false;
        };
        let Some(at) = i64::try_from(duration_seconds)
            .ok()
            .and_then(|seconds| self.connected_at.checked_add(Duration::seconds(seconds)))
        else {
            return false;
        };
        self.reported_end = Some(ReportedEnd {
            at,
            duration_seconds,
            received: environment.number("bytes_received"),
            sent: environment.number("bytes_sent"),
            real_ip: environment.real_ip(),
            real_port: environment.real_port(),
        });
        true
    }

    pub(crate) fn ended_at(&self) -> Option<OffsetDateTime> {
        let logged = || self.logged_end.as_ref().map(|end| end.at.max(self.connected_at));
        self.reported_end.as_ref().map(|end| end.at).or_else(logged)
    }
}
