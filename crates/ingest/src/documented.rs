//! The bodies that agents send, for the OpenAPI document. They are read by `domain::wire`, which is more tolerant: unknown
//! fields are ignored, and one bad event does not spoil a request.

use utoipa::ToSchema;

/// Events of one VPN server, in any order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct EventsBody {
    /// The name of the VPN server that the API key belongs to.
    #[schema(example = "vpn-prod-01")]
    server_id: String,
    /// When the request was sent, by the agent's clock. RFC 3339.
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    /// One life of the OpenVPN daemon; `seq` counts within it.
    #[schema(format = Uuid)]
    boot_id: Option<String>,
    events: Vec<EventBody>,
}

#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "described, not built")]
pub(crate) enum EventKind {
    SessionConnected,
    SessionUpdated,
    SessionDisconnected,
    ServerStarted,
    ServerStopped,
    SessionSnapshot,
}

/// One fact. Session events say it of the session in the same object, a snapshot of each in `sessions`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct EventBody {
    /// Sending the same id again has no effect.
    #[schema(format = Uuid)]
    event_id: String,
    r#type: EventKind,
    /// By the VPN server's clock. RFC 3339 with any offset; from 2000 on and at most 24 hours after its arrival.
    #[schema(format = DateTime)]
    event_time_vpn: String,
    /// Number of the event within its boot; missing numbers are shown as gaps.
    #[schema(minimum = 0)]
    seq: Option<u64>,
    /// Required for session events.
    #[schema(max_length = 255)]
    common_name: Option<String>,
    /// Required for `SESSION_SNAPSHOT`: all sessions that the daemon has at that instant.
    sessions: Option<Vec<SnapshotEntry>>,
    /// The `event_id` of the connect event, where the agent knows it.
    #[schema(format = Uuid)]
    session_id: Option<String>,
    real_ip: Option<String>,
    real_port: Option<Port>,
    virtual_ip: Option<String>,
    virtual_ip6: Option<String>,
    /// Received by the VPN server from the client since the session began; absolute, never an increment.
    bytes_in: Option<u64>,
    /// Sent by the VPN server to the client since the session began; absolute, never an increment.
    bytes_out: Option<u64>,
    bytes_source: Option<BytesSourceName>,
    /// Why, as the daemon says; `terminated` when the agent ended it itself because the product had asked for it.
    #[schema(max_length = 1000)]
    disconnect_reason: Option<String>,
    #[schema(max_length = 255)]
    username: Option<String>,
    /// The daemon's client id.
    cid: Option<u64>,
    client: Option<ClientBody>,
    #[schema(max_length = 255)]
    cipher: Option<String>,
    duration_seconds: Option<u64>,
}

/// One session of a snapshot.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct SnapshotEntry {
    #[schema(max_length = 255)]
    common_name: String,
    #[schema(format = Uuid)]
    session_id: Option<String>,
    real_ip: Option<String>,
    real_port: Option<Port>,
    virtual_ip: Option<String>,
    virtual_ip6: Option<String>,
    bytes_in: Option<u64>,
    bytes_out: Option<u64>,
    username: Option<String>,
    cid: Option<u64>,
    client: Option<ClientBody>,
    cipher: Option<String>,
    /// When the daemon says that the session connected. RFC 3339.
    #[schema(format = DateTime)]
    connected_at: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "described, not built")]
pub(crate) enum BytesSourceName {
    Final,
    LastPoll,
    Missing,
}

/// A port as a number or as a string of digits.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) enum Port {
    Number(u16),
    Text(String),
}

/// The client program, as it announced itself.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct ClientBody {
    platform: Option<String>,
    version: Option<String>,
    gui: Option<String>,
}

/// Health of a daemon, its host and its agent. Leave out what is not known.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct HeartbeatBody {
    #[schema(example = "vpn-prod-01")]
    server_id: String,
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    #[schema(format = Uuid)]
    boot_id: Option<String>,
    #[schema(minimum = 0, maximum = 100)]
    cpu_percent: Option<f64>,
    #[schema(minimum = 0, maximum = 100)]
    memory_percent: Option<f64>,
    load_1m: Option<f64>,
    openvpn_version: Option<String>,
    uptime_seconds: Option<u64>,
    session_count: Option<u64>,
    /// Data channel offload is in use.
    dco: Option<bool>,
    agent_version: Option<String>,
    /// Events in the agent's spool.
    spool_depth: Option<u64>,
    /// Time of the oldest event in the agent's spool.
    #[schema(format = DateTime)]
    oldest_unsent_at: Option<String>,
    /// Sessions that the daemon has at `sent_at`, not necessarily all of them: proof that they live. `sent_at` is required then.
    sessions: Option<Vec<SnapshotEntry>>,
}

/// What a VPN server has in store for its VPN users. It replaces the inventory before: what it does not have is gone, and a list
/// that is left out is an empty one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct InventoryBody {
    #[schema(example = "vpn-prod-01")]
    server_id: String,
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    /// Later in each inventory of a VPN server than in the one before: an older one that arrives late changes nothing. RFC 3339; at
    /// most 24 hours after its arrival.
    #[schema(format = DateTime)]
    taken_at: String,
    certificates: Option<Vec<CertificateBody>>,
    ccds: Option<Vec<CcdBody>>,
    routes: Option<Vec<RouteBody>>,
}

/// A certificate of a VPN user. Of several with one common name the valid one that expires last counts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct CertificateBody {
    #[schema(min_length = 1, max_length = 255)]
    common_name: String,
    /// Hexadecimal, at most 20 bytes.
    #[schema(example = "3359189988BAD4902C0511B8419C35C1")]
    serial: String,
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// What the client configuration directory says of a VPN user.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct CcdBody {
    #[schema(min_length = 1, max_length = 255)]
    common_name: String,
    #[schema(format = Ipv4)]
    ifconfig_ip: Option<String>,
    #[schema(format = Ipv4)]
    ifconfig_netmask: Option<String>,
    #[schema(format = Ipv6)]
    ifconfig_ip6: Option<String>,
    /// The VPN server turns this VPN user away.
    disabled: Option<bool>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "described, not built")]
pub(crate) enum RouteTypeName {
    Push,
    Iroute,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "described, not built")]
pub(crate) struct RouteBody {
    /// Left out: the VPN server sends it to all of its clients.
    #[schema(min_length = 1, max_length = 255)]
    common_name: Option<String>,
    route_type: RouteTypeName,
    /// With its prefix; host bits are zero.
    #[schema(example = "10.1.0.0/16")]
    network: String,
    gateway: Option<String>,
    #[schema(max_length = 255)]
    comment: Option<String>,
}
