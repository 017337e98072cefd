use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// A person who logs in to the portal.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portal_user")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub username: String,
    pub password_hash: String,
    pub email: Option<String>,
    pub is_active: bool,
    pub token_version: i32,
    pub last_portal_login_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    /// Encrypted: nonce, ciphertext, tag.
    pub totp_secret: Option<Vec<u8>>,
    pub totp_confirmed_at: Option<OffsetDateTime>,
    pub totp_last_step: Option<i64>,
    pub must_change_password: bool,
    pub password_changed_at: Option<OffsetDateTime>,
    pub deleted_at: Option<OffsetDateTime>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
