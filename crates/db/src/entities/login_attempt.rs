use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// A login, whatever became of it: history and lockout.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempt")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: OffsetDateTime,
    pub username: Option<String>,
    pub portal_user_id: Option<i64>,
    pub ip_address: Option<IpNetwork>,
    pub source: IpNetwork,
    pub user_agent: Option<String>,
    pub outcome: String,
    pub locked_until: Option<OffsetDateTime>,
    pub forgiven: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
