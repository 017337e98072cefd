use domain::revocation::Revocation;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    Statement,
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{entry, family};
use crate::audit::{self, Action, Actor};
use crate::entities::{portal_session as table, portal_user};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// Ends the session of a refresh token (SHA-256), and audits it. Gives the session, also one that had ended before; the
/// caller has to deny its access tokens. `actor` is named after the portal user.
pub async fn end_by_token(
    db: &Db,
    presented: [u8; 32],
    at: OffsetDateTime,
    actor: Actor,
) -> Result<Option<Uuid>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let Some((session, _)) = family::lock(change, presented).await? else {
                return Ok(None);
            };
            if session.ended_at.is_some() {
                return Ok(Some(session.id));
            }
            mark(change, session.id, "logout", at).await?;
            let actor = Actor {
                portal_user_id: Some(session.portal_user_id),
                name: name_of(change, session.portal_user_id).await?,
                ..actor
            };
            let details = json!({"portal_session": session.id});
            audit::append(change, &actor, entry(Action::Logout, session.portal_user_id, details)).await?;
            Ok(Some(session.id))
        })
    })
    .await
}

const RAISE_VERSION: &str = "UPDATE portal_user SET token_version = token_version + 1 \
    WHERE id = $1 AND deleted_at IS NULL RETURNING token_version";

/// Ends every session of a portal user, and audits it. Gives the lowest version of access tokens that counts from now on; the
/// caller has to deny the others. `None` for a user who is unknown or deleted.
pub async fn end_everywhere(
    db: &Db,
    portal_user_id: i64,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<Option<i32>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, RAISE_VERSION, [portal_user_id.into()]);
            let Some(user) = change.query_one_raw(statement).await? else {
                return Ok(None);
            };
            let ended = table::Entity::update_many()
                .col_expr(table::Column::EndedAt, Expr::value(at))
                .col_expr(table::Column::EndReason, Expr::value("logout_all"))
                .filter(table::Column::PortalUserId.eq(portal_user_id))
                .filter(table::Column::EndedAt.is_null())
                .exec(change)
                .await?;
            let details = json!({"portal_sessions": ended.rows_affected});
            audit::append(change, &actor, entry(Action::LogoutAll, portal_user_id, details)).await?;
            Ok(Some(user.try_get("", "token_version")?))
        })
    })
    .await
}

/// What may still be needed on the denylist: sessions that have ended since then, and every user whose tokens were ever
/// taken back.
pub async fn revocations_since(db: &Db, since: OffsetDateTime) -> Result<Vec<Revocation>, Error> {
    let sessions: Vec<Uuid> = table::Entity::find()
        .select_only()
        .column(table::Column::Id)
        .filter(table::Column::EndedAt.gt(since))
        .into_tuple()
        .all(&db.connection)
        .await?;
    let users: Vec<(i64, i32)> = portal_user::Entity::find()
        .select_only()
        .columns([portal_user::Column::Id, portal_user::Column::TokenVersion])
        .filter(portal_user::Column::TokenVersion.gt(1))
        .into_tuple()
        .all(&db.connection)
        .await?;
    let users = users
        .into_iter()
        .map(|(id, token_version)| Revocation::PortalUser { id, token_version });
    Ok(sessions
        .into_iter()
        .map(Revocation::PortalSession)
        .chain(users)
        .collect())
}

/// Removes sessions, with their refresh tokens, that have expired or ended before then.
pub async fn remove_expired(db: &Db, before: OffsetDateTime) -> Result<u64, Error> {
    let removed = table::Entity::delete_many()
        .filter(
            table::Column::ExpiresAt
                .lt(before)
                .or(table::Column::EndedAt.lt(before)),
        )
        .exec(&db.connection)
        .await?;
    Ok(removed.rows_affected)
}

pub(super) async fn mark(
    change: &DatabaseTransaction,
    id: Uuid,
    reason: &'static str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    table::Entity::update_many()
        .col_expr(table::Column::EndedAt, Expr::value(at))
        .col_expr(table::Column::EndReason, Expr::value(reason))
        .filter(table::Column::Id.eq(id))
        .exec(change)
        .await?;
    Ok(())
}

async fn name_of(change: &DatabaseTransaction, portal_user_id: i64) -> Result<String, Error> {
    let user = portal_user::Entity::find_by_id(portal_user_id).one(change).await?;
    Ok(user.map(|user| user.username).unwrap_or_default())
}
