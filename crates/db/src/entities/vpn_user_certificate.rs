use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// A certificate of a VPN user that a VPN server knows of.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_user_certificate")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub vpn_user_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: i32,
    /// Hexadecimal in lower case without leading zeros.
    #[sea_orm(primary_key, auto_increment = false)]
    pub serial: String,
    pub expires_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
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
}

impl Related<super::vpn_server::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Server.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
