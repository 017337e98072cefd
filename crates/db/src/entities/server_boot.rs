use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// One life of a VPN server's daemon; the nil id where the agent names none.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_boot")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub boot_id: Uuid,
    pub started_at: OffsetDateTime,
    pub highest_seq: Option<i64>,
    pub highest_seq_at: Option<OffsetDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
