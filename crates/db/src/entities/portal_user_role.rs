use sea_orm::entity::prelude::*;

/// A role that a portal user has.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portal_user_role")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub portal_user_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub portal_role_id: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::portal_role::Entity",
        from = "Column::PortalRoleId",
        to = "super::portal_role::Column::Id"
    )]
    Role,
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    User,
}

impl Related<super::portal_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl Related<super::portal_role::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Role.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
