//! The refresh tokens of a session.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Error;
use crate::entities::{portal_refresh_token as table, portal_session};

pub(super) async fn add(
    change: &DatabaseTransaction,
    session_id: Uuid,
    token_sha256: [u8; 32],
    at: OffsetDateTime,
) -> Result<(), Error> {
    let row = table::ActiveModel {
        token_sha256: Set(token_sha256.to_vec()),
        session_id: Set(session_id),
        issued_at: Set(at),
        used_at: Set(None),
    };
    table::Entity::insert(row).exec_without_returning(change).await?;
    Ok(())
}

/// The session of a token and the token as it is while the session is locked; `None` for no token of ours.
pub(super) async fn lock(
    change: &DatabaseTransaction,
    token_sha256: [u8; 32],
) -> Result<Option<(portal_session::Model, table::Model)>, Error> {
    let find = || table::Entity::find_by_id(token_sha256.to_vec());
    let Some(token) = find().one(change).await? else {
        return Ok(None);
    };
    let session = portal_session::Entity::find_by_id(token.session_id)
        .lock_exclusive()
        .one(change)
        .await?;
    // Read again: somebody else may have used it before the lock was ours.
    let token = find().one(change).await?;
    Ok(session.zip(token))
}

pub(super) async fn mark_used(
    change: &DatabaseTransaction,
    token_sha256: [u8; 32],
    at: OffsetDateTime,
) -> Result<(), Error> {
    table::Entity::update_many()
        .col_expr(table::Column::UsedAt, Expr::value(at))
        .filter(table::Column::TokenSha256.eq(token_sha256.to_vec()))
        .exec(change)
        .await?;
    Ok(())
}
