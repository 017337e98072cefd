use std::collections::HashMap;

use domain::role::Role;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use time::OffsetDateTime;

use crate::entities::{portal_user as table, portal_user_role};
use crate::{Db, Error};

/// A portal user as admins and the user see it; nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: i64,
    pub username: String,
    pub email: Option<String>,
    /// In the order of their ids.
    pub roles: Vec<Role>,
    pub is_active: bool,
    pub totp_enabled: bool,
    pub must_change_password: bool,
    pub password_changed_at: Option<OffsetDateTime>,
    pub last_portal_login_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    /// Goes up with each edit.
    pub version: i32,
}

/// One portal user, unless deleted.
pub async fn find_account(db: &Db, id: i64) -> Result<Option<Account>, Error> {
    let row = table::Entity::find_by_id(id)
        .filter(table::Column::DeletedAt.is_null())
        .one(&db.connection)
        .await?;
    Ok(with_roles(&db.connection, row.into_iter().collect()).await?.pop())
}

/// Users with their roles: one query for all.
pub(super) async fn with_roles(
    connection: &impl ConnectionTrait,
    users: Vec<table::Model>,
) -> Result<Vec<Account>, Error> {
    let held = portal_user_role::Entity::find()
        .filter(portal_user_role::Column::PortalUserId.is_in(users.iter().map(|user| user.id)))
        .order_by_asc(portal_user_role::Column::PortalRoleId)
        .all(connection)
        .await?;
    let mut roles: HashMap<i64, Vec<Role>> = HashMap::new();
    for row in held {
        roles
            .entry(row.portal_user_id)
            .or_default()
            .push(role(row.portal_role_id)?);
    }
    let account = |user: table::Model| {
        let roles = roles.remove(&user.id).unwrap_or_default();
        Account::of(user, roles)
    };
    Ok(users.into_iter().map(account).collect())
}

pub(super) async fn roles_of(connection: &impl ConnectionTrait, portal_user_id: i64) -> Result<Vec<Role>, Error> {
    let held = portal_user_role::Entity::find()
        .filter(portal_user_role::Column::PortalUserId.eq(portal_user_id))
        .order_by_asc(portal_user_role::Column::PortalRoleId)
        .all(connection)
        .await?;
    held.into_iter().map(|row| role(row.portal_role_id)).collect()
}

pub(super) fn role(id: i32) -> Result<Role, Error> {
    Role::from_id(id).ok_or_else(|| Error::Corrupt(format!("role {id} is unknown")))
}

impl Account {
    pub(super) fn of(user: table::Model, roles: Vec<Role>) -> Self {
        Self {
            id: user.id,
            username: user.username,
            email: user.email,
            roles,
            is_active: user.is_active,
            totp_enabled: user.totp_confirmed_at.is_some(),
            must_change_password: user.must_change_password,
            password_changed_at: user.password_changed_at,
            last_portal_login_at: user.last_portal_login_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
            version: user.version,
        }
    }
}
