//! The figures of the dashboard.

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::entities::{portal_user, vpn_session, vpn_user};
use crate::sessions::{SessionRow, find_many};
use crate::{Db, Error};

/// How many VPN users there are.
pub async fn vpn_user_count(db: &Db) -> Result<u64, Error> {
    row_count(
        db,
        Query::select()
            .expr(Func::count(Expr::cust("*")))
            .from(vpn_user::Entity)
            .take(),
    )
    .await
}

/// How many portal users may log in.
pub async fn portal_user_count(db: &Db) -> Result<u64, Error> {
    let active = Expr::col(portal_user::Column::IsActive).eq(true);
    let count = Query::select()
        .expr(Func::count(Expr::cust("*")))
        .from(portal_user::Entity)
        .and_where(active)
        .take();
    row_count(db, count).await
}

async fn row_count(db: &Db, count: sea_orm::sea_query::SelectStatement) -> Result<u64, Error> {
    crate::paging::count(db, &count).await
}

/// The sessions that connected last, newest first.
pub async fn recent_connects(db: &Db, limit: u64) -> Result<Vec<SessionRow>, Error> {
    use vpn_session::Column;
    let newest = vpn_session::Entity::find().select_only().column(Column::Id);
    let newest = newest
        .order_by_desc(Column::ConnectedAt)
        .order_by_desc(Column::Id)
        .limit(limit);
    let ids: Vec<Uuid> = newest.into_tuple().all(&db.connection).await?;
    find_many(db, &ids).await
}

/// The sessions that ended last, newest end first. Those that only lack proof of life have not ended.
pub async fn recent_disconnects(db: &Db, limit: u64) -> Result<Vec<SessionRow>, Error> {
    use vpn_session::Column;
    let ended = vpn_session::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::EndNotAfter.is_not_null());
    let newest = ended
        .order_by_desc(Column::EndNotAfter)
        .order_by_desc(Column::Id)
        .limit(limit);
    let ids: Vec<Uuid> = newest.into_tuple().all(&db.connection).await?;
    find_many(db, &ids).await
}
