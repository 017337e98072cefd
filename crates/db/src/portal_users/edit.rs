use domain::role::Role;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::accounts::{self, Account};
use super::{admins, entry, insert_roles, living_sessions};
use crate::audit::{self, Action, Actor};
use crate::entities::{portal_user as table, portal_user_role};
use crate::transaction::in_transaction;
use crate::{Db, Error, totp};

/// What to change of a portal user; parts that are `None` stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountEdit {
    pub email: Option<String>,
    /// At least one.
    pub roles: Option<Vec<Role>>,
    pub is_active: Option<bool>,
    /// The version that the editor saw; any when `None`.
    pub expected_version: Option<i32>,
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    Done {
        account: Account,
        /// Access tokens of a lower version are void from now on; the caller has to deny them.
        tokens_below: Option<i32>,
    },
    Unknown,
    /// Somebody else has edited the user meanwhile.
    Stale,
    /// Nobody would be left who may do everything.
    LastAdmin,
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// Access tokens of a lower version are void from now on; the caller has to deny them.
    Done {
        tokens_below: i32,
    },
    Unknown,
    LastAdmin,
}

/// Edits a portal user. New roles and deactivation void the access tokens; deactivation ends the portal sessions too.
pub async fn update(db: &Db, id: i64, edit: AccountEdit, at: OffsetDateTime, actor: Actor) -> Result<Edited, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move { update_in(change, id, edit, at, &actor).await })
    })
    .await
}

async fn update_in(
    change: &DatabaseTransaction,
    id: i64,
    edit: AccountEdit,
    at: OffsetDateTime,
    actor: &Actor,
) -> Result<Edited, Error> {
    admins::lock(change).await?;
    let Some(row) = locked(change, id).await? else {
        return Ok(Edited::Unknown);
    };
    if edit.expected_version.is_some_and(|expected| expected != row.version) {
        return Ok(Edited::Stale);
    }
    let before = Account::of(row.clone(), accounts::roles_of(change, id).await?);
    let after = edited(&before, edit);
    if after == before {
        return Ok(Edited::Done {
            account: before,
            tokens_below: None,
        });
    }
    if is_admin(&before) && !is_admin(&after) && !admins::others_exist(change, id).await? {
        return Ok(Edited::LastAdmin);
    }
    let deactivated = before.is_active && !after.is_active;
    let voids_tokens = deactivated || before.roles != after.roles;
    let token_version = row.token_version + i32::from(voids_tokens);
    let row = write(change, row, &after, token_version, at).await?;
    if before.roles != after.roles {
        replace_roles(change, id, &after.roles).await?;
    }
    if deactivated {
        living_sessions::end_all(change, id, None, "deactivated", at).await?;
    }
    audit::append(change, actor, entry(Action::Update, id, differences(&before, &after))).await?;
    Ok(Edited::Done {
        account: Account::of(row, after.roles),
        tokens_below: voids_tokens.then_some(token_version),
    })
}

/// Deletes a portal user: inactive for good, without portal sessions and second factor. The row, its name and its roles
/// stay for the audit log.
pub async fn delete(db: &Db, id: i64, at: OffsetDateTime, actor: Actor) -> Result<Deleted, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            admins::lock(change).await?;
            let Some(row) = locked(change, id).await? else {
                return Ok(Deleted::Unknown);
            };
            let before = Account::of(row.clone(), accounts::roles_of(change, id).await?);
            if is_admin(&before) && !admins::others_exist(change, id).await? {
                return Ok(Deleted::LastAdmin);
            }
            let token_version = row.token_version + 1;
            let mut gone = row.into_active_model();
            gone.is_active = Set(false);
            gone.deleted_at = Set(Some(at));
            gone.token_version = Set(token_version);
            gone.version = Set(before.version + 1);
            gone.updated_at = Set(at);
            gone.update(change).await?;
            totp::forget(change, id).await?;
            living_sessions::end_all(change, id, None, "deleted", at).await?;
            let details = json!({"before": shown(&before)});
            audit::append(change, &actor, entry(Action::Delete, id, details)).await?;
            Ok(Deleted::Done {
                tokens_below: token_version,
            })
        })
    })
    .await
}

/// The row of a user who is not deleted, locked until the transaction ends. The lock lets audit entries refer to the row.
pub(super) async fn locked(change: &DatabaseTransaction, id: i64) -> Result<Option<table::Model>, Error> {
    let row = table::Entity::find_by_id(id)
        .filter(table::Column::DeletedAt.is_null())
        .lock(LockType::NoKeyUpdate)
        .one(change)
        .await?;
    Ok(row)
}

fn edited(before: &Account, edit: AccountEdit) -> Account {
    let mut after = before.clone();
    if let Some(email) = edit.email {
        after.email = Some(email);
    }
    if let Some(mut roles) = edit.roles {
        roles.sort_by_key(|role| role.id());
        roles.dedup();
        after.roles = roles;
    }
    if let Some(is_active) = edit.is_active {
        after.is_active = is_active;
    }
    after
}

fn is_admin(account: &Account) -> bool {
    account.is_active && account.roles.contains(&Role::Admin)
}

async fn write(
    change: &DatabaseTransaction,
    row: table::Model,
    after: &Account,
    token_version: i32,
    at: OffsetDateTime,
) -> Result<table::Model, Error> {
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.email = Set(after.email.clone());
    row.is_active = Set(after.is_active);
    row.token_version = Set(token_version);
    row.version = Set(version);
    row.updated_at = Set(at);
    Ok(row.update(change).await?)
}

async fn replace_roles(change: &DatabaseTransaction, id: i64, roles: &[Role]) -> Result<(), Error> {
    portal_user_role::Entity::delete_many()
        .filter(portal_user_role::Column::PortalUserId.eq(id))
        .exec(change)
        .await?;
    insert_roles(change, id, roles).await
}

/// What an audit entry says of a user.
fn shown(account: &Account) -> Map<String, Value> {
    let roles: Vec<&str> = account.roles.iter().map(|role| role.as_str()).collect();
    let values = [
        ("username", json!(account.username)),
        ("email", json!(account.email)),
        ("roles", json!(roles)),
        ("is_active", json!(account.is_active)),
    ];
    values
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// The values that differ, before and after.
fn differences(before: &Account, after: &Account) -> Value {
    let (mut before, mut after) = (shown(before), shown(after));
    let same: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) == Some(*value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    json!({"before": before, "after": after})
}
