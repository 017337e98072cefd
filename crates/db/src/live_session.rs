//! Sessions as the live cache and realtime subscribers see them.

use std::net::IpAddr;

use domain::event::Client;
use domain::session::{EndedBy, SessionStatus};
use domain::time_format;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::apply::{SessionChange, SessionRecord, open_sessions};
use crate::{Db, Error};

/// A session as the live cache and realtime deltas show it: the fields of `GET /api/sessions`, without what changes with the
/// clock (`duration_seconds`) and what the portal edits (`user_type`).
#[derive(Debug, Clone, Serialize)]
pub struct LiveSession {
    pub id: Uuid,
    pub common_name: String,
    vpn_user_id: i64,
    pub server_instance: String,
    server_key: i32,
    real_ip: Option<IpAddr>,
    real_port: Option<u16>,
    virtual_ip: Option<IpAddr>,
    virtual_ip6: Option<IpAddr>,
    #[serde(serialize_with = "time_format::millis")]
    connected_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    last_seen_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::optional_millis")]
    disconnected_at: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::optional_millis")]
    end_not_after: Option<OffsetDateTime>,
    bytes_in: Option<u64>,
    bytes_out: Option<u64>,
    bytes_source: Option<&'static str>,
    session_status: SessionStatus,
    ended_by: Option<EndedBy>,
    disconnect_reason: Option<String>,
    opened_by_snapshot: bool,
    username: Option<String>,
    cid: Option<u64>,
    #[serde(skip_serializing_if = "Client::is_empty")]
    client: Client,
    cipher: Option<String>,
    pub version: i32,
}

impl LiveSession {
    pub fn of(change: &SessionChange) -> Self {
        Self::new(&change.record, &change.server_name, &change.common_name)
    }

    pub fn new(record: &SessionRecord, server_name: &str, common_name: &str) -> Self {
        let session = &record.session;
        let timed_out = record.status == SessionStatus::Timeout;
        let (ended_by, disconnected_at) = match session.end {
            Some(end) => (Some(end.ended_by), Some(end.disconnected_at)),
            None if timed_out => (Some(EndedBy::Timeout), Some(session.last_seen_at)),
            None => (None, None),
        };
        Self {
            id: session.id,
            common_name: common_name.to_owned(),
            vpn_user_id: record.vpn_user_id,
            server_instance: server_name.to_owned(),
            server_key: record.server_id,
            real_ip: session.real_ip,
            real_port: session.real_port,
            virtual_ip: session.virtual_ip,
            virtual_ip6: session.virtual_ip6,
            connected_at: session.connected_at,
            last_seen_at: session.last_seen_at,
            disconnected_at,
            end_not_after: session.end.map(|end| end.not_after),
            bytes_in: session.bytes_in.total(),
            bytes_out: session.bytes_out.total(),
            bytes_source: session.bytes_source.map(|source| source.as_str()),
            session_status: record.status,
            ended_by,
            disconnect_reason: session.disconnect_reason.clone(),
            opened_by_snapshot: session.opened_by_snapshot,
            username: session.username.clone(),
            cid: session.cid,
            client: session.client.clone(),
            cipher: session.cipher.clone(),
            version: record.version,
        }
    }

    pub fn is_active(&self) -> bool {
        self.session_status == SessionStatus::Active
    }

    /// When it connected, seconds since the epoch: the order of the live list.
    pub fn score(&self) -> i64 {
        self.connected_at.unix_timestamp()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a session has only string keys")
    }
}

/// A page of the active sessions, by id; all of them are behind the last id of the page before. Sessions that have timed out
/// are left out, so a page may be shorter than `limit`: the walk ends when there is no last id.
///
/// # Errors
/// When the database does not answer.
pub async fn active_page(db: &Db, after: Uuid, limit: i64) -> Result<(Vec<LiveSession>, Option<Uuid>), Error> {
    let page = open_sessions(db, after, limit).await?;
    let last = page.last().map(|(record, ..)| record.session.id);
    let sessions = page
        .iter()
        .map(|(record, server, name)| LiveSession::new(record, server, name))
        .filter(LiveSession::is_active);
    Ok((sessions.collect(), last))
}

/// Id and version of every active session, all of one instant.
///
/// # Errors
/// When the database does not answer.
pub async fn active_versions(db: &Db) -> Result<Vec<(Uuid, i32)>, Error> {
    // The first condition is that of the index.
    let query =
        "SELECT id, version FROM vpn_session WHERE session_status <> 'disconnected' AND session_status = 'active'";
    Ok(sqlx::query_as(query)
        .fetch_all(db.connection.get_postgres_connection_pool())
        .await?)
}
