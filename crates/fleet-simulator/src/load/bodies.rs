//! Request bodies, written directly: building a tree of values for each event would cost more than sending it.

use std::collections::VecDeque;
use std::io::Write;
use std::net::Ipv4Addr;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Compression, LoadSettings, Mix, event_id};
use crate::clock;
use agent_api::format_time;

/// Mixes the bits of a number; different numbers stay different (the finalizer of splitmix64).
pub(super) fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Writes the batches of one connection: its own VPN users connect, count and leave.
#[derive(Debug)]
pub(super) struct Bodies {
    seed: u64,
    lane: usize,
    server: String,
    boot_id: Uuid,
    pub numbered: bool,
    mix: Mix,
    compression: Option<Compression>,
    /// Sessions to open before anything else; 0 once they are open.
    to_open: usize,
    /// Users without a session.
    idle: Vec<u32>,
    open: VecDeque<OpenSession>,
    events: u64,
    text: Vec<u8>,
    packed: Vec<u8>,
    /// The present second, formatted up to its fraction.
    second: (i64, String),
}

#[derive(Debug, Clone, Copy)]
struct OpenSession {
    id: Uuid,
    user: u32,
    bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connect,
    Update,
    Disconnect,
}

impl Bodies {
    pub(super) fn new(settings: &LoadSettings, lane: usize, numbered: bool) -> Self {
        let server = settings.keys[lane % settings.keys.len()].server.clone();
        let share = settings.users / settings.connections;
        let first = lane * share;
        let boot_name = format!("{}/{server}", settings.seed);
        Self {
            seed: settings.seed,
            lane,
            boot_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, boot_name.as_bytes()),
            server,
            numbered,
            mix: settings.mix,
            compression: settings.compression,
            to_open: (settings.hold / settings.connections).min(share),
            idle: (first..first + share)
                .rev()
                .filter_map(|user| user.try_into().ok())
                .collect(),
            open: VecDeque::new(),
            events: 0,
            text: Vec::new(),
            packed: Vec::new(),
            second: (i64::MIN, String::new()),
        }
    }

    /// The next body with `count` events, numbered from `seq` on if at all.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub(super) fn next(&mut self, count: usize, seq: u64) -> std::io::Result<&[u8]> {
        let now = clock::now();
        self.begin(now);
        for index in 0..count {
            if index > 0 {
                self.text.push(b',');
            }
            self.write_event(now, index, seq + index as u64)?;
        }
        self.text.extend_from_slice(b"]}");
        self.packed.clear();
        match self.compression {
            None => return Ok(&self.text),
            Some(Compression::Zstd) => zstd::stream::copy_encode(self.text.as_slice(), &mut self.packed, 1)?,
            Some(Compression::Gzip) => {
                let mut encoder = flate2::write::GzEncoder::new(&mut self.packed, flate2::Compression::fast());
                encoder.write_all(&self.text)?;
                encoder.finish()?;
            }
        }
        Ok(&self.packed)
    }

    fn begin(&mut self, now: OffsetDateTime) {
        let second = now.unix_timestamp();
        if second != self.second.0 {
            self.second = (second, format_time(now)[..19].to_owned());
        }
        self.text.clear();
        self.text.extend_from_slice(b"{\"server_id\":\"");
        self.text.extend_from_slice(self.server.as_bytes());
        if self.numbered {
            self.text.extend_from_slice(b"\",\"boot_id\":\"");
            write_uuid(&mut self.text, self.boot_id);
        }
        self.text.extend_from_slice(b"\",\"sent_at\":\"");
        self.write_time(now.microsecond());
        self.text.extend_from_slice(b"\",\"events\":[");
    }

    /// `microseconds` of the present second.
    fn write_time(&mut self, microseconds: u32) {
        let digits = [100_000, 10_000, 1_000, 100, 10, 1].map(|unit| b'0' + (microseconds / unit % 10) as u8);
        self.text.extend_from_slice(self.second.1.as_bytes());
        self.text.push(b'.');
        self.text.extend_from_slice(&digits);
        self.text.push(b'Z');
    }

    fn write_event(&mut self, now: OffsetDateTime, index: usize, seq: u64) -> std::io::Result<()> {
        let id = event_id(self.seed, self.lane, self.events);
        let kind = self.next_kind();
        self.events += 1;
        let (name, session) = match kind {
            Kind::Connect => ("SESSION_CONNECTED", self.connect(id)),
            Kind::Update => ("SESSION_UPDATED", self.count()),
            Kind::Disconnect => ("SESSION_DISCONNECTED", self.open.pop_front()),
        };
        let session = session.expect("next_kind offers only what is possible");
        self.text.extend_from_slice(b"{\"event_id\":\"");
        write_uuid(&mut self.text, id);
        if self.numbered {
            write!(self.text, "\",\"seq\":{seq},\"type\":\"{name}\",\"event_time_vpn\":\"")?;
        } else {
            write!(self.text, "\",\"type\":\"{name}\",\"event_time_vpn\":\"")?;
        }
        // Within a batch, a microsecond apart: nobody leaves before having come.
        self.write_time((now.microsecond() + index as u32).min(999_999));
        write!(
            self.text,
            "\",\"common_name\":\"load-{:06}\",\"virtual_ip\":\"{}\"",
            session.user,
            address(10, session.user)
        )?;
        match kind {
            Kind::Connect => self.write_address(session.user)?,
            _ => self.write_counters(&session, kind)?,
        }
        self.text.push(b'}');
        Ok(())
    }

    fn write_address(&mut self, user: u32) -> std::io::Result<()> {
        let port = 1024 + user % 60_000;
        write!(
            self.text,
            ",\"real_ip\":\"{}\",\"real_port\":{port}",
            address(100, user)
        )
    }

    fn write_counters(&mut self, session: &OpenSession, kind: Kind) -> std::io::Result<()> {
        self.text.extend_from_slice(b",\"session_id\":\"");
        write_uuid(&mut self.text, session.id);
        write!(
            self.text,
            "\",\"bytes_in\":{},\"bytes_out\":{}",
            session.bytes,
            session.bytes * 5
        )?;
        if kind == Kind::Disconnect {
            self.text.extend_from_slice(b",\"bytes_source\":\"final\"");
            self.idle.push(session.user);
        }
        Ok(())
    }

    /// Whether there are sessions to open before the load proper.
    pub(super) fn is_filling(&self) -> bool {
        self.to_open > 0
    }

    /// By the weights, as far as there is somebody to connect or disconnect.
    fn next_kind(&self) -> Kind {
        let Mix {
            connects,
            updates,
            disconnects,
        } = self.mix;
        let point = spread(self.seed ^ self.events.wrapping_mul(31) ^ self.lane as u64);
        let point = (point % u64::from(connects + updates + disconnects)) as u32;
        match point {
            _ if self.open.is_empty() || self.is_filling() => Kind::Connect,
            point if point < connects && self.idle.is_empty() => Kind::Disconnect,
            point if point < connects => Kind::Connect,
            point if point < connects + updates => Kind::Update,
            _ => Kind::Disconnect,
        }
    }

    fn connect(&mut self, id: Uuid) -> Option<OpenSession> {
        let session = OpenSession {
            id,
            user: self.idle.pop()?,
            bytes: 2_400,
        };
        self.open.push_back(session);
        self.to_open = self.to_open.saturating_sub(1);
        Some(session)
    }

    /// Sessions are read in turn.
    fn count(&mut self) -> Option<OpenSession> {
        let mut session = self.open.pop_front()?;
        session.bytes += 1_000 + session.bytes % 977;
        self.open.push_back(session);
        Some(session)
    }
}

fn address(network: u8, user: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(network) << 24) + 0x0040_0000 + user)
}

fn write_uuid(text: &mut Vec<u8>, id: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    text.extend_from_slice(id.as_hyphenated().encode_lower(&mut buffer).as_bytes());
}
