use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// What a portal user asks of a VPN server's agent. Its state does not know that it has expired: see `commands`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session_command")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub session_id: Uuid,
    pub server_id: i32,
    pub vpn_user_id: i64,
    pub kind: String,
    /// The portal user, and the name as it was then.
    pub requested_by: i64,
    pub requested_by_name: String,
    pub reason: String,
    pub deny_until: Option<OffsetDateTime>,
    pub requested_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub state: String,
    pub delivered_at: Option<OffsetDateTime>,
    pub accepted_at: Option<OffsetDateTime>,
    pub gone_at: Option<OffsetDateTime>,
    pub stayed_gone_at: Option<OffsetDateTime>,
    pub reconnected_at: Option<OffsetDateTime>,
    pub reconnected_session_id: Option<Uuid>,
    pub failed_at: Option<OffsetDateTime>,
    pub failure: Option<String>,
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

impl ActiveModelBehavior for ActiveModel {}
