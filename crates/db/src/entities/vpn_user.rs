use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use super::enums::{BusinessStatus, UserType};

/// A certificate's common name, with the metadata that the portal keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vpn_user")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub common_name: String,
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub contact_no: Option<String>,
    pub user_type: Option<UserType>,
    pub business_status: Option<BusinessStatus>,
    pub cert_expiry_at: Option<OffsetDateTime>,
    pub revoked_at: Option<OffsetDateTime>,
    pub last_vpn_seen_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    /// Counts edits of what the portal keeps: name, e-mail, contact number, type, business status.
    pub metadata_version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
