use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// A code for somebody who has lost the second factor.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portal_recovery_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub portal_user_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_sha256: Vec<u8>,
    pub used_at: Option<OffsetDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
