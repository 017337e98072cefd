//! A running session and its traffic.

use std::net::IpAddr;

use time::OffsetDateTime;
use uuid::Uuid;

use super::dice::Dice;
use super::people::Person;
use super::pool::Place;
use agent_api::{BytesSource, Session};

pub(super) const CIPHER: &str = "AES-256-GCM";

/// Sessions last this long (simulated seconds); half of them are shorter.
const MEDIAN_SECONDS: f64 = 75.0 * 60.0;
const SPREAD_OF_DURATION: f64 = 1.1;
/// What a client sends (bytes a simulated second); half of them send less.
const MEDIAN_RATE: f64 = 2_500.0;
const SPREAD_OF_RATE: f64 = 1.2;

#[derive(Debug, Clone)]
pub(super) struct LiveSession {
    pub id: Uuid,
    pub user: usize,
    pub cid: u64,
    pub person: Person,
    pub real_ip: IpAddr,
    pub real_port: u16,
    pub place: Place,
    pub connected_at: OffsetDateTime,
    rate_in: f64,
    rate_out: f64,
    counted_until: f64,
    bytes_in: f64,
    bytes_out: f64,
}

impl LiveSession {
    /// A session of `person` that begins `now` (simulated seconds).
    pub(super) fn begin(begun: Begun, person: Person, now: f64, dice: &mut Dice) -> Self {
        let rate_in = dice.log_normal(MEDIAN_RATE, SPREAD_OF_RATE).min(5.0e6);
        let travelling = dice.chance(0.15);
        let real_ip = if travelling {
            super::people::elsewhere(dice)
        } else {
            person.home
        };
        Self {
            id: begun.id,
            user: begun.user,
            cid: begun.cid,
            person,
            real_ip,
            real_port: dice.port(),
            place: begun.place,
            connected_at: begun.connected_at,
            rate_in,
            rate_out: rate_in * dice.log_normal(5.0, 0.8),
            counted_until: now,
            bytes_in: 2_300.0,
            bytes_out: 2_500.0,
        }
    }

    /// How long it will last, in simulated seconds: at least a few, at most three days.
    pub(super) fn duration(dice: &mut Dice) -> f64 {
        dice.log_normal(MEDIAN_SECONDS, SPREAD_OF_DURATION)
            .clamp(8.0, 3.0 * 86_400.0)
    }

    /// Counters grow, never evenly.
    pub(super) fn count(&mut self, now: f64, dice: &mut Dice) {
        let seconds = (now - self.counted_until).max(0.0);
        self.counted_until = now;
        self.bytes_in += self.rate_in * seconds * dice.between(0.1, 1.9);
        self.bytes_out += self.rate_out * seconds * dice.between(0.1, 1.9);
    }

    /// The client's address changes while the session goes on.
    pub(super) fn float(&mut self, dice: &mut Dice) {
        self.real_ip = super::people::elsewhere(dice);
        self.real_port = dice.port();
    }

    fn counters(&self) -> (u64, u64) {
        (self.bytes_in as u64, self.bytes_out as u64)
    }

    pub(super) fn connected(&self, virtual_ip: IpAddr, virtual_ip6: IpAddr) -> Session {
        Session {
            common_name: self.person.common_name.clone(),
            real_ip: Some(self.real_ip),
            real_port: Some(self.real_port),
            virtual_ip: Some(virtual_ip),
            virtual_ip6: Some(virtual_ip6),
            username: self.person.username.clone(),
            cid: Some(self.cid),
            client: Some(self.person.client.clone()),
            cipher: Some(CIPHER.to_owned()),
            ..Session::default()
        }
    }

    pub(super) fn updated(&self, virtual_ip: IpAddr) -> Session {
        let (bytes_in, bytes_out) = self.counters();
        Session {
            session_id: Some(self.id),
            common_name: self.person.common_name.clone(),
            real_ip: Some(self.real_ip),
            real_port: Some(self.real_port),
            virtual_ip: Some(virtual_ip),
            bytes_in: Some(bytes_in),
            bytes_out: Some(bytes_out),
            cid: Some(self.cid),
            ..Session::default()
        }
    }

    /// As a row of the daemon's list.
    pub(super) fn listed(&self, virtual_ip: IpAddr, virtual_ip6: IpAddr) -> Session {
        Session {
            virtual_ip6: Some(virtual_ip6),
            username: self.person.username.clone(),
            cipher: Some(CIPHER.to_owned()),
            connected_at: Some(self.connected_at),
            ..self.updated(virtual_ip)
        }
    }

    pub(super) fn disconnected(&self, virtual_ip: IpAddr, at: OffsetDateTime, reason: &str) -> Session {
        Session {
            bytes_source: Some(BytesSource::Final),
            disconnect_reason: Some(reason.to_owned()),
            duration_seconds: u64::try_from((at - self.connected_at).whole_seconds()).ok(),
            ..self.updated(virtual_ip)
        }
    }
}

/// What the server decides about a new session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub id: Uuid,
    pub user: usize,
    pub cid: u64,
    pub place: Place,
    pub connected_at: OffsetDateTime,
}
