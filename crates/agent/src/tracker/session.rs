//! One session, as far as is known.

use std::net::IpAddr;

use agent_api::{BytesSource, Client, Event, EventType, Session};
use openvpn::Environment;
use openvpn::status::ListedClient;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// What tells one session from every other of the same VPN server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    pub common_name: String,
    /// Seconds since 1970: when the client's handshake began.
    pub connected_at: i64,
    /// IPv4 where there is one.
    pub virtual_ip: Option<IpAddr>,
    /// Sessions before it that are alike in all this.
    #[serde(default)]
    pub nth: usize,
}

impl Key {
    /// The first of its name.
    pub(super) fn of(session: &Session, connected_at: OffsetDateTime) -> Self {
        Self {
            common_name: session.common_name.clone(),
            connected_at: connected_at.unix_timestamp(),
            virtual_ip: session.virtual_ip.or(session.virtual_ip6),
            nth: 0,
        }
    }
}

/// What is kept of a session that is open, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tracked {
    pub id: Uuid,
    pub cid: Option<u64>,
    pub real_ip: Option<IpAddr>,
    pub real_port: Option<u16>,
    pub virtual_ip6: Option<IpAddr>,
    pub bytes_in: Option<u64>,
    pub bytes_out: Option<u64>,
    /// When the counters were read, milliseconds since 1970.
    pub(super) read_at: i64,
    /// Counters of the last update that was sent, and when it was.
    pub(super) told: (Option<u64>, Option<u64>, i64),
    #[serde(default)]
    pub(super) details: Details,
    /// Its end, as a log line told it, while the hook's word or the next list is awaited.
    pub(super) ending: Option<Ending>,
    /// Since when reports no longer list it, milliseconds since 1970.
    pub(super) missing_since: Option<i64>,
}

/// What only lists tell of a session, beside its counters. The last list before it is told counts: while keys are being agreed upon,
/// a list has another cipher.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Details {
    #[default]
    Unknown,
    /// To be told with the next update, or with the end.
    New {
        cipher: Option<String>,
        username: Option<String>,
    },
    Told,
}

/// An end that the daemon has logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ending {
    /// By the daemon's clock, seconds since 1970.
    pub at: i64,
    pub reason: String,
    /// By the host's, which may have been set: milliseconds since 1970.
    pub heard_at: i64,
}

impl Tracked {
    pub(super) fn read(&mut self, at: OffsetDateTime, bytes_in: Option<u64>, bytes_out: Option<u64>) {
        self.bytes_in = bytes_in.or(self.bytes_in);
        self.bytes_out = bytes_out.or(self.bytes_out);
        self.read_at = millis(at).max(self.read_at);
    }

    pub(super) fn learn(&mut self, client: &ListedClient) {
        let says_any = client.cipher.is_some() || client.username.is_some();
        if says_any && self.details != Details::Told {
            self.details = Details::New {
                cipher: client.cipher.clone(),
                username: client.username.clone(),
            };
        }
    }

    /// Adds to the facts what has not been told yet.
    pub(super) fn tell_details(&mut self, facts: &mut Session) {
        if let Details::New { cipher, username } = &mut self.details {
            facts.cipher = facts.cipher.take().or(cipher.take());
            facts.username = facts.username.take().or(username.take());
            self.details = Details::Told;
        }
    }

    /// Whether there is anything that an update would tell.
    pub(super) fn has_news(&self) -> bool {
        (self.bytes_in, self.bytes_out) != (self.told.0, self.told.1) || matches!(self.details, Details::New { .. })
    }

    pub(super) fn facts(&self, key: &Key) -> Session {
        Session {
            common_name: key.common_name.clone(),
            real_ip: self.real_ip,
            real_port: self.real_port,
            virtual_ip: key.virtual_ip.filter(IpAddr::is_ipv4),
            virtual_ip6: self.virtual_ip6,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            cid: self.cid,
            ..Session::default()
        }
    }
}

/// An update with what is known now, which counts as told.
pub(super) fn update(key: &Key, session: &mut Tracked, at: OffsetDateTime, namespace: &Uuid) -> Event {
    session.told = (session.bytes_in, session.bytes_out, millis(at));
    let mut facts = session.facts(key);
    session.tell_details(&mut facts);
    facts.session_id = Some(session.id);
    facts.bytes_source = session.bytes_in.map(|_| BytesSource::LastPoll);
    let address = session.real_ip.map(|ip| ip.to_string()).unwrap_or_default();
    let name = format!(
        "update\0{}\0{}\0{address}\0{:?}\0{:?}\0{:?}",
        session.id,
        millis(at),
        session.real_port,
        session.bytes_in,
        session.bytes_out
    );
    Event::about_session(
        Uuid::new_v5(namespace, name.as_bytes()),
        EventType::SessionUpdated,
        at,
        facts,
    )
}

/// What a hook or a notification says of a session.
pub(super) fn from_environment(environment: &Environment) -> Option<Session> {
    Some(Session {
        common_name: environment.common_name()?.to_owned(),
        real_ip: environment.real_ip(),
        real_port: environment.real_port(),
        virtual_ip: environment.virtual_ip(),
        virtual_ip6: environment.virtual_ip6(),
        username: environment.text("username").map(str::to_owned),
        client: environment.client().map(Client::from),
        ..Session::default()
    })
}

/// The id of a session: every source and every run of the agent derives it alike.
pub(super) fn session_id(namespace: &Uuid, key: &Key) -> Uuid {
    let address = key.virtual_ip.map(|ip| ip.to_string()).unwrap_or_default();
    let connected_at = key.connected_at.to_string();
    let nth = key.nth.to_string();
    let parts = ["session", &key.common_name, &connected_at, &address, &nth];
    let parts = if key.nth == 0 { &parts[..4] } else { &parts[..] };
    Uuid::new_v5(namespace, parts.join("\0").as_bytes())
}

pub(super) fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

pub(super) fn from_millis(millis: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

pub(super) fn seconds(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
