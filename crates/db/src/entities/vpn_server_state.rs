use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// What session-processor knows of a VPN server.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_server_state")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: i32,
    pub last_heard_at: Option<OffsetDateTime>,
    pub last_event_at: Option<OffsetDateTime>,
    pub last_proof_at: Option<OffsetDateTime>,
    pub clock_skew_ms: Option<i64>,
    pub boot_id: Option<Uuid>,
    pub last_heartbeat_at: Option<OffsetDateTime>,
    #[sea_orm(column_type = "Double")]
    pub cpu_percent: Option<f64>,
    #[sea_orm(column_type = "Double")]
    pub memory_percent: Option<f64>,
    #[sea_orm(column_name = "load_1m", column_type = "Double")]
    pub load_1m: Option<f64>,
    pub openvpn_version: Option<String>,
    pub agent_version: Option<String>,
    pub uptime_seconds: Option<i64>,
    pub session_count: Option<i64>,
    pub dco: Option<bool>,
    pub spool_depth: Option<i64>,
    pub oldest_unsent_at: Option<OffsetDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
