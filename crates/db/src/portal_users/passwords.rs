use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::edit::locked;
use super::{entry, living_sessions};
use crate::audit::{self, Action, Actor};
use crate::transaction::in_transaction;
use crate::{Db, Error, totp};

/// A password that somebody else sets.
#[derive(Clone)]
pub struct PasswordReset {
    pub password_hash: String,
    /// For somebody who has lost the second factor too.
    pub disable_totp: bool,
}

/// Sets a password that its owner has to change, and ends all portal sessions. Gives the lowest version of access tokens
/// that counts from now on; the caller has to deny the others. `None` for a user who is unknown or deleted.
pub async fn reset_password(
    db: &Db,
    id: i64,
    reset: PasswordReset,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<Option<i32>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let Some(row) = locked(change, id).await? else {
                return Ok(None);
            };
            let had_totp = row.totp_confirmed_at.is_some();
            let (token_version, version) = (row.token_version + 1, row.version + 1);
            let mut row = row.into_active_model();
            row.password_hash = Set(reset.password_hash);
            row.password_changed_at = Set(Some(at));
            row.must_change_password = Set(true);
            row.token_version = Set(token_version);
            row.version = Set(version);
            row.updated_at = Set(at);
            row.update(change).await?;
            if reset.disable_totp {
                totp::forget(change, id).await?;
            }
            living_sessions::end_all(change, id, None, "password_reset", at).await?;
            let details = json!({
                "before": {"totp_enabled": had_totp},
                "after": {"totp_enabled": had_totp && !reset.disable_totp, "must_change_password": true},
            });
            audit::append(change, &actor, entry(Action::ResetPassword, id, details)).await?;
            Ok(Some(token_version))
        })
    })
    .await
}

/// Changes one's own password, and ends all portal sessions but `keep`. Gives the new version of access tokens; the caller has
/// to deny those of lower ones. `None` when the password is no longer the one whose hash is `current_hash`.
pub async fn change_password(
    db: &Db,
    id: i64,
    current_hash: String,
    new_hash: String,
    keep: Uuid,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<Option<i32>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let row = locked(change, id).await?;
            let Some(row) = row.filter(|row| row.is_active && row.password_hash == current_hash) else {
                return Ok(None);
            };
            let (token_version, version) = (row.token_version + 1, row.version + 1);
            let mut row = row.into_active_model();
            row.password_hash = Set(new_hash);
            row.password_changed_at = Set(Some(at));
            row.must_change_password = Set(false);
            row.token_version = Set(token_version);
            row.version = Set(version);
            row.updated_at = Set(at);
            row.update(change).await?;
            living_sessions::end_all(change, id, Some(keep), "password_changed", at).await?;
            audit::append(change, &actor, entry(Action::ChangePassword, id, json!({}))).await?;
            Ok(Some(token_version))
        })
    })
    .await
}
