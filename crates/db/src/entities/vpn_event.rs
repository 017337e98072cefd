use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use super::enums::EventType;

/// An event as it was accepted; monthly partitions by event time.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_time: OffsetDateTime,
    pub server_id: i32,
    pub vpn_user_id: Option<i64>,
    pub session_id: Option<Uuid>,
    pub event_type: EventType,
    pub boot_id: Option<Uuid>,
    pub seq: Option<i64>,
    pub received_at: OffsetDateTime,
    #[sea_orm(column_type = "JsonBinary")]
    pub body: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
