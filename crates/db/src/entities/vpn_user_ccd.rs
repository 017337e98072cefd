use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// A VPN user's static address on a VPN server, mirrored from its client configuration directory.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_user_ccd")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub vpn_user_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: i32,
    pub ifconfig_ip: Option<IpNetwork>,
    pub ifconfig_netmask: Option<IpNetwork>,
    pub updated_at: OffsetDateTime,
    pub ifconfig_ip6: Option<IpNetwork>,
    /// The VPN server turns this VPN user away.
    pub disabled: bool,
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
