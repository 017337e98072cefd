use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use super::enums::{BytesSource, SessionEnd, SessionStatus};

/// A session, as `domain::timeline` derives it from the events. Times are the VPN server's own clock.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub server_id: i32,
    pub vpn_user_id: i64,
    pub connected_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
    pub disconnected_at: Option<OffsetDateTime>,
    pub end_not_after: Option<OffsetDateTime>,
    pub session_status: SessionStatus,
    pub ended_by: Option<SessionEnd>,
    pub disconnect_reason: Option<String>,
    pub opened_by_snapshot: bool,
    pub real_ip: Option<IpNetwork>,
    pub real_port: Option<i32>,
    pub virtual_ip: Option<IpNetwork>,
    pub virtual_ip6: Option<IpNetwork>,
    pub bytes_in: Option<i64>,
    pub bytes_out: Option<i64>,
    pub bytes_in_base: i64,
    pub bytes_out_base: i64,
    pub bytes_source: Option<BytesSource>,
    pub duration_seconds: Option<i64>,
    pub username: Option<String>,
    pub cid: Option<i64>,
    pub client_platform: Option<String>,
    pub client_version: Option<String>,
    pub client_gui: Option<String>,
    pub cipher: Option<String>,
    pub version: i32,
    pub updated_at: OffsetDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::vpn_server::Entity",
        from = "Column::ServerId",
        to = "super::vpn_server::Column::Id"
    )]
    Server,
    #[sea_orm(
        belongs_to = "super::vpn_user::Entity",
        from = "Column::VpnUserId",
        to = "super::vpn_user::Column::Id"
    )]
    VpnUser,
}

impl Related<super::vpn_server::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Server.def()
    }
}

impl Related<super::vpn_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::VpnUser.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
