use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use serde_json::json;
use time::OffsetDateTime;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::portal_user;
use crate::transaction::in_transaction;
use crate::{Db, Error};

const FORGIVE: &str = "UPDATE login_attempt SET forgiven = true \
    WHERE lower(coalesce(username, '')) = lower($1) AND NOT forgiven AND (at > $2 - interval '2 days' OR locked_until > $2)";

/// Unlocks a portal user for every source, and audits it: no failure of before counts any more. Gives how many sources were
/// locked out; `None` for a user who is unknown or deleted.
pub async fn unlock(db: &Db, portal_user_id: i64, now: OffsetDateTime, actor: Actor) -> Result<Option<u64>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let user = portal_user::Entity::find_by_id(portal_user_id).one(change).await?;
            let Some(user) = user.filter(|user| user.deleted_at.is_none()) else {
                return Ok(None);
            };
            let statement = format!(
                "WITH forgiven AS ({FORGIVE} RETURNING source, locked_until) \
                SELECT count(DISTINCT source) AS locked FROM forgiven WHERE locked_until > $2"
            );
            let values = [user.username.into(), now.into()];
            let row = change
                .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, statement, values))
                .await?
                .ok_or_else(|| Error::Corrupt("an aggregate gave no row".to_owned()))?;
            let locked: i64 = row.try_get("", "locked")?;
            let entry = Entry {
                action: Action::Unlock,
                object_type: "portal_user",
                object_id: Some(portal_user_id.to_string()),
                details: json!({"locked_sources": locked}),
            };
            audit::append(change, &actor, entry).await?;
            Ok(Some(locked.unsigned_abs()))
        })
    })
    .await
}
