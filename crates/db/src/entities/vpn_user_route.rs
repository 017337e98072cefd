use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// A route of a VPN user on a VPN server, mirrored from its client configuration directory; or one of the server's own.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_user_route")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `None`: the server sends it to all of its clients.
    pub vpn_user_id: Option<i64>,
    pub server_id: i32,
    /// `push` or `iroute`.
    pub route_type: String,
    pub network: IpNetwork,
    pub netmask: IpNetwork,
    pub gateway: Option<IpNetwork>,
    pub comment: Option<String>,
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
