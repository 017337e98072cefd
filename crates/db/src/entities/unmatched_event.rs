use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use super::enums::EventType;

/// An event that waits for the session it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unmatched_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: Uuid,
    pub server_id: i32,
    pub vpn_user_id: i64,
    pub event_time: OffsetDateTime,
    pub event_type: EventType,
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
    /// The event itself, in its partition.
    #[sea_orm(
        belongs_to = "super::vpn_event::Entity",
        from = "(Column::EventId, Column::EventTime)",
        to = "(super::vpn_event::Column::EventId, super::vpn_event::Column::EventTime)"
    )]
    Event,
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
