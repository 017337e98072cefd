use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// The second factor of a portal user: some columns of `portal_user`, apart so that other queries never read the secret.
#[derive(Clone, PartialEq, Eq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "portal_user")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub username: String,
    /// Encrypted; set while enrolling, in force once confirmed.
    pub totp_secret: Option<Vec<u8>>,
    pub totp_confirmed_at: Option<OffsetDateTime>,
    /// The last 30-second step whose code was used.
    pub totp_last_step: Option<i64>,
    pub token_version: i32,
    pub version: i32,
    pub updated_at: OffsetDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
