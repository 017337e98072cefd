//! What an event says of one session.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::EventError;
use super::checks::{self, Limits, Problem};
use super::field::{Field, Key, Seed, Shape};
use crate::event::{BytesSource, Client, SessionFacts};

/// Longest optional text, characters.
const MAX_TEXT: usize = 255;
const MAX_REASON: usize = 1_000;

/// The fields of a session as they were found.
#[derive(Default)]
pub(super) struct RawFacts<'a> {
    session_id: Field<'a>,
    common_name: Field<'a>,
    real_ip: Field<'a>,
    real_port: Field<'a>,
    virtual_ip: Field<'a>,
    virtual_ip6: Field<'a>,
    bytes_in: Field<'a>,
    bytes_out: Field<'a>,
    bytes_source: Field<'a>,
    disconnect_reason: Field<'a>,
    username: Field<'a>,
    cid: Field<'a>,
    client: RawClient<'a>,
    cipher: Field<'a>,
    duration_seconds: Field<'a>,
    connected_at: Field<'a>,
}

/// A key of a session.
#[derive(Clone, Copy)]
pub(super) enum FactKey {
    SessionId,
    CommonName,
    RealIp,
    RealPort,
    VirtualIp,
    VirtualIp6,
    BytesIn,
    BytesOut,
    BytesSource,
    DisconnectReason,
    Username,
    Cid,
    Client,
    Cipher,
    DurationSeconds,
    ConnectedAt,
    Unknown,
}

impl FactKey {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "session_id" => Self::SessionId,
            "common_name" => Self::CommonName,
            "real_ip" => Self::RealIp,
            "real_port" => Self::RealPort,
            "virtual_ip" => Self::VirtualIp,
            "virtual_ip6" => Self::VirtualIp6,
            "bytes_in" => Self::BytesIn,
            "bytes_out" => Self::BytesOut,
            "bytes_source" => Self::BytesSource,
            "disconnect_reason" => Self::DisconnectReason,
            "username" => Self::Username,
            "cid" => Self::Cid,
            "client" => Self::Client,
            "cipher" => Self::Cipher,
            "duration_seconds" => Self::DurationSeconds,
            "connected_at" => Self::ConnectedAt,
            _ => Self::Unknown,
        }
    }
}

impl<'a> RawFacts<'a> {
    pub(super) fn read<A: MapAccess<'a>>(&mut self, key: FactKey, map: &mut A) -> Result<(), A::Error> {
        let field = match key {
            FactKey::SessionId => &mut self.session_id,
            FactKey::CommonName => &mut self.common_name,
            FactKey::RealIp => &mut self.real_ip,
            FactKey::RealPort => &mut self.real_port,
            FactKey::VirtualIp => &mut self.virtual_ip,
            FactKey::VirtualIp6 => &mut self.virtual_ip6,
            FactKey::BytesIn => &mut self.bytes_in,
            FactKey::BytesOut => &mut self.bytes_out,
            FactKey::BytesSource => &mut self.bytes_source,
            FactKey::DisconnectReason => &mut self.disconnect_reason,
            FactKey::Username => &mut self.username,
            FactKey::Cid => &mut self.cid,
            FactKey::Cipher => &mut self.cipher,
            FactKey::DurationSeconds => &mut self.duration_seconds,
            FactKey::ConnectedAt => &mut self.connected_at,
            FactKey::Client => {
                self.client = map.next_value_seed(Seed(ClientShape))?;
                return Ok(());
            }
            FactKey::Unknown => return map.next_value::<IgnoredAny>().map(|_| ()),
        };
        *field = map.next_value()?;
        Ok(())
    }

    /// `connected_at` is a snapshot's; other events do not have the field.
    pub(super) fn check(self, connected_at: Option<&Limits>) -> Result<SessionFacts, Problem> {
        let (virtual_ip, virtual_ip6) = virtual_addresses(&self.virtual_ip, &self.virtual_ip6)?;
        Ok(SessionFacts {
            common_name: checks::common_name(self.common_name)?,
            session_id: checks::uuid(&self.session_id, "session_id", EventError::InvalidSessionId)?,
            real_ip: checks::address(&self.real_ip, "real_ip", EventError::InvalidRealIp)?,
            real_port: checks::port(&self.real_port)?,
            virtual_ip,
            virtual_ip6,
            bytes_in: checks::count(&self.bytes_in, "bytes_in", EventError::InvalidBytes)?,
            bytes_out: checks::count(&self.bytes_out, "bytes_out", EventError::InvalidBytes)?,
            bytes_source: bytes_source(&self.bytes_source)?,
            disconnect_reason: checks::text(self.disconnect_reason, "disconnect_reason", MAX_REASON)?,
            username: checks::text(self.username, "username", MAX_TEXT)?,
            cid: checks::count(&self.cid, "cid", EventError::InvalidCid)?,
            client: self.client.check()?,
            cipher: checks::text(self.cipher, "cipher", MAX_TEXT)?,
            duration_seconds: checks::seconds(&self.duration_seconds, "duration_seconds", EventError::InvalidDuration)?,
            connected_at: match connected_at {
                Some(limits) => checks::time(&self.connected_at, "connected_at", limits)?,
                None => None,
            },
        })
    }
}

/// An IPv6 address in `virtual_ip` is taken for what it is.
fn virtual_addresses(ip: &Field<'_>, ip6: &Field<'_>) -> Result<(Option<IpAddr>, Option<IpAddr>), Problem> {
    let first = checks::address(ip, "virtual_ip", EventError::InvalidVirtualIp)?;
    let second = checks::address(ip6, "virtual_ip6", EventError::InvalidVirtualIp6)?;
    match (first, second) {
        (_, Some(IpAddr::V4(_))) => Err(Problem::unexpected(
            EventError::InvalidVirtualIp6,
            "virtual_ip6",
            ip6,
            "an IPv6 address",
        )),
        (Some(IpAddr::V6(_)), Some(_)) => Err(Problem::unexpected(
            EventError::InvalidVirtualIp,
            "virtual_ip",
            ip,
            "an IPv4 address beside virtual_ip6",
        )),
        (Some(IpAddr::V6(_)), None) => Ok((None, first)),
        addresses => Ok(addresses),
    }
}

fn bytes_source(value: &Field<'_>) -> Result<Option<BytesSource>, Problem> {
    let source = match value {
        Field::Absent => return Ok(None),
        Field::Text(text) => BytesSource::parse(text),
        _ => None,
    };
    let expected = "final, last_poll or missing";
    source
        .map(Some)
        .ok_or_else(|| Problem::unexpected(EventError::InvalidBytesSource, "bytes_source", value, expected))
}

/// `client` as it was found.
enum RawClient<'a> {
    Object {
        platform: Field<'a>,
        version: Field<'a>,
        gui: Field<'a>,
    },
    Other(Field<'a>),
}

impl Default for RawClient<'_> {
    fn default() -> Self {
        Self::Other(Field::Absent)
    }
}

impl RawClient<'_> {
    fn check(self) -> Result<Client, Problem> {
        match self {
            Self::Other(Field::Absent) => Ok(Client::default()),
            Self::Other(found) => {
                let expected = "an object with platform, version and gui";
                Err(Problem::unexpected(EventError::InvalidText, "client", &found, expected))
            }
            Self::Object { platform, version, gui } => Ok(Client {
                platform: checks::text(platform, "client.platform", MAX_TEXT)?,
                version: checks::text(version, "client.version", MAX_TEXT)?,
                gui: checks::text(gui, "client.gui", MAX_TEXT)?,
            }),
        }
    }
}

struct ClientShape;

impl<'de> Shape<'de> for ClientShape {
    type Value = RawClient<'de>;

    fn other(self, found: Field<'de>) -> RawClient<'de> {
        RawClient::Other(found)
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawClient<'de>, A::Error> {
        let (mut platform, mut version, mut gui) = (Field::Absent, Field::Absent, Field::Absent);
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            match &*key {
                "platform" => platform = entries.next_value()?,
                "version" => version = entries.next_value()?,
                "gui" => gui = entries.next_value()?,
                _ => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(RawClient::Object { platform, version, gui })
    }
}

/// `sessions` of a snapshot as it was found.
#[derive(Default)]
pub(super) enum RawSessions<'a> {
    #[default]
    Absent,
    List(Result<Vec<SessionFacts>, Problem>),
    Other(Field<'a>),
}

impl RawSessions<'_> {
    pub(super) fn check(self) -> Result<Vec<SessionFacts>, Problem> {
        match self {
            Self::Absent => Err(Problem::missing("sessions")),
            Self::List(sessions) => sessions,
            Self::Other(found) => Err(Problem::unexpected(
                EventError::InvalidSessions,
                "sessions",
                &found,
                "an array of sessions",
            )),
        }
    }
}

/// Reads a snapshot's list; the first bad entry spoils it, because a list with holes would end the sessions it lacks.
pub(super) struct SessionsShape<'l>(pub(super) &'l Limits);

impl<'de> Shape<'de> for SessionsShape<'_> {
    type Value = RawSessions<'de>;

    fn other(self, found: Field<'de>) -> RawSessions<'de> {
        match found {
            Field::Absent => RawSessions::Absent,
            found => RawSessions::Other(found),
        }
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawSessions<'de>, A::Error> {
        let mut sessions = Ok(Vec::new());
        let mut index = 0;
        while let Some(entry) = items.next_element_seed(Seed(EntryShape))? {
            if let Ok(list) = &mut sessions {
                match entry.and_then(|raw| raw.check(Some(self.0))) {
                    Ok(facts) => list.push(facts),
                    Err(problem) => sessions = Err(at(index, &problem)),
                }
            }
            index += 1;
        }
        Ok(RawSessions::List(sessions))
    }
}

fn at(index: usize, problem: &Problem) -> Problem {
    Problem::new(
        EventError::InvalidSessions,
        format!("sessions[{index}]: {}", problem.detail),
    )
}

struct EntryShape;

impl<'de> Shape<'de> for EntryShape {
    type Value = Result<RawFacts<'de>, Problem>;

    fn other(self, found: Field<'de>) -> Self::Value {
        Err(Problem::unexpected(
            EventError::InvalidSessions,
            "the entry",
            &found,
            "an object",
        ))
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut facts = RawFacts::default();
        while let Some(key) = entries.next_key_seed(Key(FactKey::of))? {
            facts.read(key, &mut entries)?;
        }
        Ok(Ok(facts))
    }
}
