use std::net::IpAddr;

use domain::event::{BytesSource, Client};
use domain::session::{ByteCount, End, EndedBy, Session, SessionStatus};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;

use crate::Error;

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    pub server_id: i32,
    pub vpn_user_id: i64,
    pub session: Session,
    pub status: SessionStatus,
    /// Counts changes, from 1.
    pub version: i32,
}

/// The columns that [`SessionRecord::read`] needs, of a table called `s`.
pub(super) const COLUMNS: &str = "s.id, s.server_id, s.vpn_user_id, s.connected_at, s.last_seen_at, s.disconnected_at, \
    s.end_not_after, s.session_status::text, s.ended_by::text, s.disconnect_reason, s.opened_by_snapshot, s.early_event_at, s.real_ip, \
    s.real_port, s.virtual_ip, s.virtual_ip6, s.bytes_in, s.bytes_out, s.bytes_in_base, s.bytes_out_base, \
    s.bytes_source::text, s.duration_seconds, s.username, s.cid, s.client_platform, s.client_version, s.client_gui, \
    s.cipher, s.version";

impl SessionRecord {
    pub(super) fn read(row: &PgRow) -> Result<Self, Error> {
        let status = parse(row.try_get("session_status")?, SessionStatus::parse)?;
        let session = Session {
            id: row.try_get("id")?,
            connected_at: row.try_get("connected_at")?,
            last_seen_at: row.try_get("last_seen_at")?,
            end: if status == SessionStatus::Disconnected {
                Some(end(row)?)
            } else {
                None
            },
            disconnect_reason: row.try_get("disconnect_reason")?,
            opened_by_snapshot: row.try_get("opened_by_snapshot")?,
            early_event_at: row.try_get("early_event_at")?,
            real_ip: row.try_get::<Option<IpAddr>, _>("real_ip")?,
            real_port: row
                .try_get::<Option<i32>, _>("real_port")?
                .and_then(|port| u16::try_from(port).ok()),
            virtual_ip: row.try_get::<Option<IpAddr>, _>("virtual_ip")?,
            virtual_ip6: row.try_get::<Option<IpAddr>, _>("virtual_ip6")?,
            bytes_in: count(row.try_get("bytes_in")?, row.try_get("bytes_in_base")?),
            bytes_out: count(row.try_get("bytes_out")?, row.try_get("bytes_out_base")?),
            bytes_source: row
                .try_get::<Option<&str>, _>("bytes_source")?
                .map(|name| parse(name, BytesSource::parse))
                .transpose()?,
            duration_seconds: row.try_get::<Option<i64>, _>("duration_seconds")?.map(unsigned),
            username: row.try_get("username")?,
            cid: row.try_get::<Option<i64>, _>("cid")?.map(unsigned),
            client: Client {
                platform: row.try_get("client_platform")?,
                version: row.try_get("client_version")?,
                gui: row.try_get("client_gui")?,
            },
            cipher: row.try_get("cipher")?,
        };
        Ok(Self {
            server_id: row.try_get("server_id")?,
            vpn_user_id: row.try_get("vpn_user_id")?,
            session,
            status,
            version: row.try_get("version")?,
        })
    }
}

fn end(row: &PgRow) -> Result<End, Error> {
    let disconnected_at: OffsetDateTime = row.try_get("disconnected_at")?;
    Ok(End {
        ended_by: parse(row.try_get("ended_by")?, EndedBy::parse)?,
        disconnected_at,
        not_after: row
            .try_get::<Option<OffsetDateTime>, _>("end_not_after")?
            .unwrap_or(disconnected_at),
    })
}

pub(super) fn parse<T>(name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(name).ok_or_else(|| Error::Corrupt(format!("{name:?} is no known value of its column")))
}

fn count(total: Option<i64>, base: i64) -> ByteCount {
    ByteCount::from_total(total.map(unsigned), unsigned(base))
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// For values that validation has bounded by `i64::MAX`.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
