use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Error;
use crate::entities::portal_session as table;

/// Ends the living portal sessions of a user, perhaps but one; their refresh tokens are worthless from now on.
pub(super) async fn end_all(
    change: &DatabaseTransaction,
    portal_user_id: i64,
    keep: Option<Uuid>,
    reason: &'static str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    let others = keep.map_or_else(|| Expr::value(true), |keep| table::Column::Id.ne(keep));
    end(change, portal_user_id, others, reason, at).await.map(drop)
}

/// Ends one living portal session of a user. False when there is no such session.
pub(super) async fn end_one(
    change: &DatabaseTransaction,
    portal_user_id: i64,
    session: Uuid,
    reason: &'static str,
    at: OffsetDateTime,
) -> Result<bool, Error> {
    let ended = end(change, portal_user_id, table::Column::Id.eq(session), reason, at).await?;
    Ok(ended > 0)
}

async fn end(
    change: &DatabaseTransaction,
    portal_user_id: i64,
    which: Expr,
    reason: &'static str,
    at: OffsetDateTime,
) -> Result<u64, Error> {
    let updated = table::Entity::update_many()
        .col_expr(table::Column::EndedAt, Expr::value(at))
        .col_expr(table::Column::EndReason, Expr::value(reason))
        .filter(table::Column::PortalUserId.eq(portal_user_id))
        .filter(table::Column::EndedAt.is_null().and(which))
        .exec(change)
        .await?;
    Ok(updated.rows_affected)
}
