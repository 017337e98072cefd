use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// An event refused at validation or isolated as poison.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub received_at: OffsetDateTime,
    pub server_id: Option<i32>,
    pub server_name: String,
    pub event_id: Option<String>,
    pub error: String,
    pub detail: String,
    pub event_json: String,
    pub request_id: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
