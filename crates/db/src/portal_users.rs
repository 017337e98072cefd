//! Portal users: the people who log in, and their roles.

use std::fmt;

use domain::role::Role;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    TryInsertResult,
    sea_query::{Expr, Func},
};
use serde_json::json;
use time::OffsetDateTime;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::{portal_user as table, portal_user_role};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// A portal user, as a login needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct PortalUser {
    pub id: i64,
    pub username: String,
    /// PHC string (argon2id).
    pub password_hash: String,
    pub is_active: bool,
    /// Access tokens with another version are worthless.
    pub token_version: i32,
}

/// A portal user to create.
#[derive(Clone)]
pub struct NewPortalUser {
    /// 3–50 letters, digits and underscores; unique whatever the case.
    pub username: String,
    pub password_hash: String,
    pub email: Option<String>,
    pub roles: Vec<Role>,
}

/// What became of the first admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstAdmin {
    Created(i64),
    AdminExists,
    UsernameTaken,
}

/// The user of that name in any case, active or not.
pub async fn find_by_username(db: &Db, username: &str) -> Result<Option<PortalUser>, Error> {
    let row = table::Entity::find()
        .filter(Expr::expr(Func::lower(Expr::col(table::Column::Username))).eq(Func::lower(username)))
        .one(&db.connection)
        .await?;
    Ok(row.map(|row| PortalUser {
        id: row.id,
        username: row.username,
        password_hash: row.password_hash,
        is_active: row.is_active,
        token_version: row.token_version,
    }))
}

/// The roles of a user, in the order of their ids.
pub async fn roles_of(db: &Db, portal_user_id: i64) -> Result<Vec<Role>, Error> {
    let rows = portal_user_role::Entity::find()
        .filter(portal_user_role::Column::PortalUserId.eq(portal_user_id))
        .order_by_asc(portal_user_role::Column::PortalRoleId)
        .all(&db.connection)
        .await?;
    let role = |row: portal_user_role::Model| {
        Role::from_id(row.portal_role_id)
            .ok_or_else(|| Error::Corrupt(format!("role {} is unknown", row.portal_role_id)))
    };
    rows.into_iter().map(role).collect()
}

/// Whether anybody who may log in is an admin.
pub async fn any_admin_exists(db: &Db) -> Result<bool, Error> {
    admin_exists(&db.connection).await
}

/// Creates a user with its roles and returns its id; `None` when the name is taken.
///
/// # Errors
/// [`Error::Refused`] for a username that is not valid.
pub async fn create(db: &Db, new: NewPortalUser, actor: Actor) -> Result<Option<i64>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move { insert(change, new, &actor).await })
    })
    .await
}

/// Creates an admin, unless there is one. Of several callers at once one succeeds.
pub async fn create_first_admin(
    db: &Db,
    username: String,
    password_hash: String,
    actor: Actor,
) -> Result<FirstAdmin, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            change
                .execute_unprepared("SELECT pg_advisory_xact_lock(hashtext('create_first_admin'))")
                .await?;
            if admin_exists(change).await? {
                return Ok(FirstAdmin::AdminExists);
            }
            let new = NewPortalUser {
                username,
                password_hash,
                email: None,
                roles: vec![Role::Admin],
            };
            let created = insert(change, new, &actor).await?;
            Ok(created.map_or(FirstAdmin::UsernameTaken, FirstAdmin::Created))
        })
    })
    .await
}

/// Notes a successful login. `actor` is the user himself.
pub async fn record_login(db: &Db, portal_user_id: i64, at: OffsetDateTime, actor: Actor) -> Result<(), Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            table::Entity::update_many()
                .col_expr(table::Column::LastPortalLoginAt, Expr::value(at))
                .filter(table::Column::Id.eq(portal_user_id))
                .exec(change)
                .await?;
            audit::append(change, &actor, entry(Action::Login, portal_user_id, json!({}))).await
        })
    })
    .await
}

async fn admin_exists(connection: &impl ConnectionTrait) -> Result<bool, Error> {
    let admins = portal_user_role::Entity::find()
        .inner_join(table::Entity)
        .filter(portal_user_role::Column::PortalRoleId.eq(Role::Admin.id()))
        .filter(table::Column::IsActive.eq(true))
        .count(connection)
        .await?;
    Ok(admins > 0)
}

async fn insert(change: &DatabaseTransaction, new: NewPortalUser, actor: &Actor) -> Result<Option<i64>, Error> {
    let roles: Vec<&str> = new.roles.iter().map(|role| role.as_str()).collect();
    let details = json!({"after": {"username": new.username, "email": new.email, "roles": roles}});
    let row = table::ActiveModel {
        username: Set(new.username),
        password_hash: Set(new.password_hash),
        email: Set(new.email),
        ..Default::default()
    };
    let inserted = table::Entity::insert(row).on_conflict_do_nothing().exec(change).await?;
    let TryInsertResult::Inserted(inserted) = inserted else {
        return Ok(None);
    };
    let id = inserted.last_insert_id;
    insert_roles(change, id, &new.roles).await?;
    audit::append(change, actor, entry(Action::Create, id, details)).await?;
    Ok(Some(id))
}

async fn insert_roles(change: &DatabaseTransaction, id: i64, roles: &[Role]) -> Result<(), Error> {
    let rows = roles.iter().map(|role| portal_user_role::ActiveModel {
        portal_user_id: Set(id),
        portal_role_id: Set(role.id()),
    });
    portal_user_role::Entity::insert_many(rows)
        .exec_without_returning(change)
        .await?;
    Ok(())
}

fn entry(action: Action, id: i64, details: serde_json::Value) -> Entry {
    Entry {
        action,
        object_type: "portal_user",
        object_id: Some(id.to_string()),
        details,
    }
}

impl fmt::Debug for PortalUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PortalUser")
            .field("id", &self.id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewPortalUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewPortalUser")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
