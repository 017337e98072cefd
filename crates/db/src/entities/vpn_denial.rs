use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// A VPN user who may not connect to a VPN server for a time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_denial")]
pub struct Model {
    /// That of the command that asked for it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub server_id: i32,
    pub vpn_user_id: i64,
    /// The portal user, and the name as it was then.
    pub requested_by: i64,
    pub requested_by_name: String,
    pub reason: String,
    pub created_at: OffsetDateTime,
    pub deny_until: OffsetDateTime,
    /// Since when the agent has it in its list.
    pub applied_at: Option<OffsetDateTime>,
    pub revoked_at: Option<OffsetDateTime>,
    pub revoked_by: Option<i64>,
    pub revoked_by_name: Option<String>,
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
