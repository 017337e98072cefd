//! Portal users: the people who log in, and their roles.
//!
//! They are never erased, because the audit log names them: a deleted one is inactive for good, is in no list, and keeps its
//! username, so that one name in the log is one person.

mod accounts;
mod activity;
mod admins;
mod edit;
mod list;
mod living_sessions;
mod passwords;
mod standing;

use std::fmt;

pub use accounts::{Account, find_account};
pub use activity::{Attempt, LivingSession, OwnEntry, end_session, living_sessions, logins, own_entries};
pub use edit::{AccountEdit, Deleted, Edited, delete, update};
pub use list::{AccountFilter, AccountOrder, AccountPage, AccountSort, list};
pub use passwords::{PasswordReset, change_password, reset_password};
pub use standing::{Standing, standing};

use domain::role::Role;
use sea_orm::{
    ActiveValue::Set,
    DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, TryInsertResult,
    sea_query::{Expr, Func, OnConflict},
};
use serde_json::json;

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
    /// A login needs a code as well.
    pub totp_enabled: bool,
    pub must_change_password: bool,
}

/// A portal user to create.
#[derive(Clone, Default)]
pub struct NewPortalUser {
    /// 3–50 letters, digits and underscores; unique whatever the case.
    pub username: String,
    pub password_hash: String,
    pub email: Option<String>,
    pub roles: Vec<Role>,
    /// May not log in yet.
    pub inactive: bool,
    /// At the first login, because others know the password.
    pub must_change_password: bool,
}

/// What became of the first admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstAdmin {
    Created(i64),
    AdminExists,
    UsernameTaken,
}

/// The user of that name in any case, active or not. A deleted one is inactive.
pub async fn find_by_username(db: &Db, username: &str) -> Result<Option<PortalUser>, Error> {
    let row = table::Entity::find()
        .filter(Expr::expr(Func::lower(Expr::col(table::Column::Username))).eq(Func::lower(username)))
        .one(&db.connection)
        .await?;
    Ok(row.map(PortalUser::from))
}

impl From<table::Model> for PortalUser {
    fn from(row: table::Model) -> Self {
        Self {
            id: row.id,
            username: row.username,
            password_hash: row.password_hash,
            is_active: row.is_active && row.deleted_at.is_none(),
            token_version: row.token_version,
            totp_enabled: row.totp_confirmed_at.is_some(),
            must_change_password: row.must_change_password,
        }
    }
}

/// Whether anybody who may log in is an admin.
pub async fn any_admin_exists(db: &Db) -> Result<bool, Error> {
    admins::exist(&db.connection).await
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
            admins::lock(change).await?;
            if admins::exist(change).await? {
                return Ok(FirstAdmin::AdminExists);
            }
            let new = NewPortalUser {
                username,
                password_hash,
                roles: vec![Role::Admin],
                ..NewPortalUser::default()
            };
            let created = insert(change, new, &actor).await?;
            Ok(created.map_or(FirstAdmin::UsernameTaken, FirstAdmin::Created))
        })
    })
    .await
}

async fn insert(change: &DatabaseTransaction, new: NewPortalUser, actor: &Actor) -> Result<Option<i64>, Error> {
    let roles: Vec<&str> = new.roles.iter().map(|role| role.as_str()).collect();
    let details = json!({"after": {
        "username": new.username,
        "email": new.email,
        "roles": roles,
        "is_active": !new.inactive,
        "must_change_password": new.must_change_password,
    }});
    let row = table::ActiveModel {
        username: Set(new.username),
        password_hash: Set(new.password_hash),
        email: Set(new.email),
        is_active: Set(!new.inactive),
        must_change_password: Set(new.must_change_password),
        ..Default::default()
    };
    let inserted = table::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec(change)
        .await?;
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
