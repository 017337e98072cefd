//! Second factors: a secret, encrypted by the auth service before it comes here, and recovery codes, as hashes.

use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QuerySelect,
};
use serde_json::json;
use time::OffsetDateTime;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::{
    portal_recovery_code as recovery_code, portal_role, portal_user_role, portal_user_totp as table,
};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// A stored secret.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTotp {
    pub username: String,
    pub sealed_secret: Vec<u8>,
    /// Not yet in force until it is.
    pub confirmed: bool,
}

/// What became of a second factor that was to be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disabled {
    Done {
        /// Access tokens of a lower version are void from now on, because a role demands a second factor.
        tokens_below: Option<i32>,
    },
    /// There was none.
    NotEnabled,
}

/// The secret of a portal user, confirmed or not.
pub async fn find(db: &Db, portal_user_id: i64) -> Result<Option<StoredTotp>, Error> {
    let row = table::Entity::find_by_id(portal_user_id).one(&db.connection).await?;
    Ok(row.and_then(|row| {
        Some(StoredTotp {
            username: row.username,
            sealed_secret: row.totp_secret?,
            confirmed: row.totp_confirmed_at.is_some(),
        })
    }))
}

/// Any stored secret with its user, to try a key on.
pub async fn any_secret(db: &Db) -> Result<Option<(i64, Vec<u8>)>, Error> {
    let row = table::Entity::find()
        .filter(table::Column::TotpSecret.is_not_null())
        .limit(1)
        .one(&db.connection)
        .await?;
    Ok(row.and_then(|row| Some((row.id, row.totp_secret?))))
}

/// Stores a secret that is to be confirmed, in place of an earlier one that never was. False when one is in force.
pub async fn start_enrolment(
    db: &Db,
    portal_user_id: i64,
    sealed_secret: Vec<u8>,
    actor: Actor,
) -> Result<bool, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let updated = table::Entity::update_many()
                .col_expr(table::Column::TotpSecret, Expr::value(sealed_secret))
                .filter(table::Column::Id.eq(portal_user_id))
                .filter(table::Column::TotpConfirmedAt.is_null())
                .exec(change)
                .await?;
            if updated.rows_affected == 0 {
                return Ok(false);
            }
            let details = json!({"after": {"totp": "enrolling"}});
            audit::append(change, &actor, entry(Action::Update, portal_user_id, details)).await?;
            Ok(true)
        })
    })
    .await
}

/// Puts the stored secret in force, with `step` as the last one used, and stores the hashes of its recovery codes. False when
/// another secret is stored by now, or one is in force.
pub async fn confirm(
    db: &Db,
    portal_user_id: i64,
    sealed_secret: Vec<u8>,
    step: i64,
    recovery_codes: Vec<Vec<u8>>,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<bool, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let updated = table::Entity::update_many()
                .col_expr(table::Column::TotpConfirmedAt, Expr::value(at))
                .col_expr(table::Column::TotpLastStep, Expr::value(step))
                .col_expr(table::Column::Version, Expr::col(table::Column::Version).add(1))
                .col_expr(table::Column::UpdatedAt, Expr::value(at))
                .filter(table::Column::Id.eq(portal_user_id))
                .filter(table::Column::TotpConfirmedAt.is_null())
                .filter(table::Column::TotpSecret.eq(sealed_secret))
                .exec(change)
                .await?;
            if updated.rows_affected == 0 {
                return Ok(false);
            }
            store_recovery_codes(change, portal_user_id, recovery_codes).await?;
            audit::append(change, &actor, entry(Action::MfaEnable, portal_user_id, json!({}))).await?;
            Ok(true)
        })
    })
    .await
}

/// Uses up the code of a step: true for one caller, false for every later one with the same or an older step. One statement.
pub async fn use_step(db: &Db, portal_user_id: i64, sealed_secret: Vec<u8>, step: i64) -> Result<bool, Error> {
    let unused = table::Column::TotpLastStep
        .is_null()
        .or(table::Column::TotpLastStep.lt(step));
    let updated = table::Entity::update_many()
        .col_expr(table::Column::TotpLastStep, Expr::value(step))
        .filter(table::Column::Id.eq(portal_user_id))
        .filter(table::Column::TotpConfirmedAt.is_not_null())
        .filter(table::Column::TotpSecret.eq(sealed_secret))
        .filter(unused)
        .exec(&db.connection)
        .await?;
    Ok(updated.rows_affected > 0)
}

/// Uses up a recovery code: true for one caller.
pub async fn use_recovery_code(
    db: &Db,
    portal_user_id: i64,
    code_sha256: Vec<u8>,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<bool, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let updated = recovery_code::Entity::update_many()
                .col_expr(recovery_code::Column::UsedAt, Expr::value(at))
                .filter(recovery_code::Column::PortalUserId.eq(portal_user_id))
                .filter(recovery_code::Column::CodeSha256.eq(code_sha256))
                .filter(recovery_code::Column::UsedAt.is_null())
                .exec(change)
                .await?;
            if updated.rows_affected == 0 {
                return Ok(false);
            }
            let details = json!({"left": unused_codes(portal_user_id).count(change).await?});
            audit::append(change, &actor, entry(Action::RecoveryCodeUsed, portal_user_id, details)).await?;
            Ok(true)
        })
    })
    .await
}

/// How many recovery codes a portal user has left.
pub async fn recovery_codes_left(db: &Db, portal_user_id: i64) -> Result<u64, Error> {
    Ok(unused_codes(portal_user_id).count(&db.connection).await?)
}

/// Gives up one's second factor. Where a role demands one, the access tokens are void: the next is good for enrolling only.
pub async fn disable(db: &Db, portal_user_id: i64, at: OffsetDateTime, actor: Actor) -> Result<Disabled, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let enabled = table::Entity::find_by_id(portal_user_id)
                .filter(table::Column::TotpConfirmedAt.is_not_null())
                .lock(LockType::NoKeyUpdate)
                .one(change)
                .await?;
            let Some(row) = enabled else {
                return Ok(Disabled::NotEnabled);
            };
            forget(change, portal_user_id).await?;
            let required = is_required(change, portal_user_id).await?;
            let token_version = row.token_version + i32::from(required);
            table::Entity::update_many()
                .col_expr(table::Column::TokenVersion, Expr::value(token_version))
                .col_expr(table::Column::Version, Expr::value(row.version + 1))
                .col_expr(table::Column::UpdatedAt, Expr::value(at))
                .filter(table::Column::Id.eq(portal_user_id))
                .exec(change)
                .await?;
            audit::append(change, &actor, entry(Action::MfaDisable, portal_user_id, json!({}))).await?;
            Ok(Disabled::Done {
                tokens_below: required.then_some(token_version),
            })
        })
    })
    .await
}

/// Removes the secret and the recovery codes of a user, as part of a change that is audited by itself.
pub(crate) async fn forget(change: &DatabaseTransaction, portal_user_id: i64) -> Result<(), Error> {
    table::Entity::update_many()
        .col_expr(table::Column::TotpSecret, Expr::value(None::<Vec<u8>>))
        .col_expr(table::Column::TotpConfirmedAt, Expr::value(None::<OffsetDateTime>))
        .col_expr(table::Column::TotpLastStep, Expr::value(None::<i64>))
        .filter(table::Column::Id.eq(portal_user_id))
        .exec(change)
        .await?;
    remove_recovery_codes(change, portal_user_id).await
}

async fn is_required(change: &DatabaseTransaction, portal_user_id: i64) -> Result<bool, Error> {
    let demanding = portal_user_role::Entity::find()
        .inner_join(portal_role::Entity)
        .filter(portal_user_role::Column::PortalUserId.eq(portal_user_id))
        .filter(portal_role::Column::RequiresTotp.eq(true))
        .count(change)
        .await?;
    Ok(demanding > 0)
}

async fn store_recovery_codes(change: &DatabaseTransaction, id: i64, codes: Vec<Vec<u8>>) -> Result<(), Error> {
    remove_recovery_codes(change, id).await?;
    let rows = codes.into_iter().map(|code_sha256| recovery_code::ActiveModel {
        portal_user_id: Set(id),
        code_sha256: Set(code_sha256),
        used_at: Set(None),
    });
    recovery_code::Entity::insert_many(rows)
        .exec_without_returning(change)
        .await?;
    Ok(())
}

async fn remove_recovery_codes(change: &DatabaseTransaction, portal_user_id: i64) -> Result<(), Error> {
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::PortalUserId.eq(portal_user_id))
        .exec(change)
        .await?;
    Ok(())
}

fn unused_codes(portal_user_id: i64) -> sea_orm::Select<recovery_code::Entity> {
    recovery_code::Entity::find()
        .filter(recovery_code::Column::PortalUserId.eq(portal_user_id))
        .filter(recovery_code::Column::UsedAt.is_null())
}

fn entry(action: Action, portal_user_id: i64, details: serde_json::Value) -> Entry {
    Entry {
        action,
        object_type: "portal_user",
        object_id: Some(portal_user_id.to_string()),
        details,
    }
}
