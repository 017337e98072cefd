use std::net::IpAddr;

use domain::time_format;
use ipnetwork::IpNetwork;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::SessionRow;
use crate::entities::enums::{BytesSource, SessionEnd, SessionStatus, UserType};

/// A session as the API and the realtime deltas show it. Unknown is null, never 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// The `event_id` of its connect event.
    pub id: Uuid,
    pub common_name: String,
    pub vpn_user_id: i64,
    pub user_type: Option<UserType>,
    /// The VPN server's name, the agent's `server_id`.
    pub server_instance: String,
    /// The VPN server's key in `/api/servers/{id}`.
    pub server_key: i32,
    /// The client's current address, as far as it is known.
    #[schema(value_type = Option<String>, example = "203.0.113.5")]
    pub real_ip: Option<IpAddr>,
    pub real_port: Option<i32>,
    #[schema(value_type = Option<String>, example = "10.8.0.2")]
    pub virtual_ip: Option<IpAddr>,
    #[schema(value_type = Option<String>, example = "fd00::2")]
    pub virtual_ip6: Option<IpAddr>,
    #[serde(serialize_with = "time_format::millis")]
    pub connected_at: OffsetDateTime,
    /// The last proof of life.
    #[serde(serialize_with = "time_format::millis")]
    pub last_seen_at: OffsetDateTime,
    /// The reported end, or the last proof of life of a session whose end nobody reported.
    #[serde(serialize_with = "time_format::optional_millis")]
    pub disconnected_at: Option<OffsetDateTime>,
    /// The first disproof of life: the end lies between `disconnected_at` and here.
    #[serde(serialize_with = "time_format::optional_millis")]
    pub end_not_after: Option<OffsetDateTime>,
    /// The daemon's own figure; else until the end, or until now while the session is active.
    pub duration_seconds: i64,
    /// Bytes that the VPN server received from the client.
    pub bytes_in: Option<i64>,
    /// Bytes that the VPN server sent to the client.
    pub bytes_out: Option<i64>,
    pub bytes_source: Option<BytesSource>,
    pub session_status: SessionStatus,
    pub ended_by: Option<SessionEnd>,
    pub disconnect_reason: Option<String>,
    /// No connect event was received: a snapshot listed the session.
    pub opened_by_snapshot: bool,
    pub username: Option<String>,
    /// The daemon's client id.
    pub cid: Option<i64>,
    pub client: Option<ClientView>,
    pub cipher: Option<String>,
    /// Grows with every change of the session.
    pub version: i32,
}

/// The client program, as it announced itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientView {
    pub platform: Option<String>,
    pub version: Option<String>,
    pub gui: Option<String>,
}

impl SessionRow {
    /// The session as it is shown at the instant `now`.
    pub fn view(self, now: OffsetDateTime) -> SessionView {
        let Self {
            session,
            common_name,
            user_type,
            server_instance,
        } = self;
        SessionView {
            id: session.id,
            common_name,
            vpn_user_id: session.vpn_user_id,
            user_type,
            server_instance,
            server_key: session.server_id,
            real_ip: session.real_ip.map(address),
            real_port: session.real_port,
            virtual_ip: session.virtual_ip.map(address),
            virtual_ip6: session.virtual_ip6.map(address),
            connected_at: session.connected_at,
            last_seen_at: session.last_seen_at,
            disconnected_at: session.disconnected_at,
            end_not_after: session.end_not_after,
            duration_seconds: session.duration_seconds.unwrap_or_else(|| {
                // Never negative, although the VPN server's clock may be ahead of ours.
                (session.disconnected_at.unwrap_or(now) - session.connected_at)
                    .whole_seconds()
                    .max(0)
            }),
            bytes_in: session.bytes_in,
            bytes_out: session.bytes_out,
            bytes_source: session.bytes_source,
            session_status: session.session_status,
            ended_by: session.ended_by,
            disconnect_reason: session.disconnect_reason,
            opened_by_snapshot: session.opened_by_snapshot,
            username: session.username,
            cid: session.cid,
            client: ClientView::of(session.client_platform, session.client_version, session.client_gui),
            cipher: session.cipher,
            version: session.version,
        }
    }
}

impl ClientView {
    /// None when the client announced nothing.
    pub fn of(platform: Option<String>, version: Option<String>, gui: Option<String>) -> Option<Self> {
        let client = Self { platform, version, gui };
        (client.platform.is_some() || client.version.is_some() || client.gui.is_some()).then_some(client)
    }
}

fn address(network: IpNetwork) -> IpAddr {
    network.ip()
}
