use sea_orm::sea_query::{Condition, Expr, ExprTrait, NullOrdering, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use serde_json::Value;
use time::OffsetDateTime;

use super::{UserRow, search_condition, with_counts};
use crate::entities::enums::{BusinessStatus, SessionStatus, UserType};
use crate::entities::{vpn_session, vpn_user};
use crate::paging::{EXACT_UP_TO, NameCursor, Page, PageRequest, Total, bounded_count, explain, planned_rows};
use crate::sessions::status_condition;
use crate::{Db, Error};

/// Whether a VPN user has a session now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VpnStatus {
    Active,
    Inactive,
}

/// When a VPN user was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastSeen {
    /// Between the two; the second is the first instant that is too late.
    Between(Option<OffsetDateTime>, Option<OffsetDateTime>),
    Never,
}

/// Which VPN users are asked for. Parts that are empty do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Part of the common name, full name or e-mail.
    pub search: Option<String>,
    pub vpn_status: Option<VpnStatus>,
    pub user_types: Vec<UserType>,
    pub business_statuses: Vec<BusinessStatus>,
    pub last_seen: Option<LastSeen>,
    /// The certificate expires before; expired ones too.
    pub cert_expires_before: Option<OffsetDateTime>,
    /// The certificate was revoked, or not.
    pub revoked: Option<bool>,
}

/// What a list of VPN users is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSort {
    /// The order that has a cursor.
    CommonName,
    Email,
    FullName,
    LastVpnSeenAt,
    CertExpiryAt,
    CreatedAt,
}

/// The order of a list of VPN users. Unknown values come last in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder {
    pub sort: UserSort,
    pub descending: bool,
}

/// One page of the VPN users that match.
pub async fn list(
    db: &Db,
    filter: &UserFilter,
    order: UserOrder,
    request: &PageRequest<NameCursor>,
) -> Result<Page<UserRow, NameCursor>, Error> {
    let total = total(db, filter).await?;
    let mut users = page_query(filter, order, request).all(&db.connection).await?;
    let per_page = usize::try_from(request.per_page).unwrap_or(usize::MAX);
    let has_more = users.len() > per_page && order.sort == UserSort::CommonName;
    users.truncate(per_page);
    let last = users.last().filter(|_| has_more);
    let next = last.map(|user| NameCursor {
        descending: order.descending,
        name: user.common_name.clone(),
    });
    Ok(Page {
        rows: with_counts(db, users).await?,
        total,
        next,
    })
}

/// The next `limit` VPN users that match behind the common name `behind`, by common name: for exports, piece by piece.
pub async fn next_users(db: &Db, filter: &UserFilter, behind: Option<&str>, limit: u64) -> Result<Vec<UserRow>, Error> {
    let users = matching(filter)
        .filter(Condition::all().add_option(behind.map(|name| vpn_user::Column::CommonName.gt(name))))
        .order_by_asc(vpn_user::Column::CommonName)
        .limit(limit)
        .all(&db.connection)
        .await?;
    with_counts(db, users).await
}

/// The planner's plans for every statement that [`list`] may run for these arguments.
pub async fn explain_list(
    db: &Db,
    filter: &UserFilter,
    order: UserOrder,
    request: &PageRequest<NameCursor>,
) -> Result<Vec<Value>, Error> {
    let ids: Vec<i64> = (1..=50).collect();
    let active = status_condition(&[SessionStatus::Active]);
    let statements = [
        count_query(filter),
        page_query(filter, order, request).into_query(),
        super::counts_query(&ids, None).into_query(),
        super::counts_query(&ids, active).into_query(),
    ];
    let mut plans = Vec::with_capacity(statements.len());
    for statement in &statements {
        plans.push(explain(db, statement).await?);
    }
    Ok(plans)
}

async fn total(db: &Db, filter: &UserFilter) -> Result<Total, Error> {
    let counted = bounded_count(db, count_query(filter)).await?;
    if counted <= EXACT_UP_TO {
        return Ok(Total::exactly(counted));
    }
    Ok(Total::about(planned_rows(db, &count_query(filter)).await?))
}

fn count_query(filter: &UserFilter) -> SelectStatement {
    matching(filter).select_only().column(vpn_user::Column::Id).into_query()
}

fn page_query(filter: &UserFilter, order: UserOrder, request: &PageRequest<NameCursor>) -> Select<vpn_user::Entity> {
    let direction = if order.descending { Order::Desc } else { Order::Asc };
    let behind = |cursor: &NameCursor| match order.descending {
        true => vpn_user::Column::CommonName.lt(cursor.name.as_str()),
        false => vpn_user::Column::CommonName.gt(cursor.name.as_str()),
    };
    let page = matching(filter)
        .filter(Condition::all().add_option(request.cursor().map(behind)))
        .limit(request.per_page + 1)
        .offset(request.offset());
    let column = match order.sort {
        // The index by common name serves only the plain order.
        UserSort::CommonName => return page.order_by(vpn_user::Column::CommonName, direction),
        UserSort::Email => vpn_user::Column::Email,
        UserSort::FullName => vpn_user::Column::FullName,
        UserSort::LastVpnSeenAt => vpn_user::Column::LastVpnSeenAt,
        UserSort::CertExpiryAt => vpn_user::Column::CertExpiryAt,
        UserSort::CreatedAt => vpn_user::Column::CreatedAt,
    };
    page.order_by_with_nulls(column, direction.clone(), NullOrdering::Last)
        .order_by(vpn_user::Column::Id, direction)
}

fn matching(filter: &UserFilter) -> Select<vpn_user::Entity> {
    use vpn_user::Column;
    let last_seen = |last_seen| match last_seen {
        LastSeen::Between(from, to) => Condition::all()
            .add(Column::LastVpnSeenAt.is_not_null())
            .add_option(from.map(|from| Column::LastVpnSeenAt.gte(from)))
            .add_option(to.map(|to| Column::LastVpnSeenAt.lt(to))),
        LastSeen::Never => Condition::all().add(Column::LastVpnSeenAt.is_null()),
    };
    let revoked = |revoked| match revoked {
        true => Column::RevokedAt.is_not_null(),
        false => Column::RevokedAt.is_null(),
    };
    let user_types = (!filter.user_types.is_empty()).then(|| Column::UserType.is_in(filter.user_types.clone()));
    let statuses =
        (!filter.business_statuses.is_empty()).then(|| Column::BusinessStatus.is_in(filter.business_statuses.clone()));
    let condition = Condition::all()
        .add_option(filter.search.as_deref().map(search_condition))
        .add_option(filter.vpn_status.map(status))
        .add_option(user_types)
        .add_option(statuses)
        .add_option(filter.last_seen.map(last_seen))
        .add_option(filter.cert_expires_before.map(|before| Column::CertExpiryAt.lt(before)))
        .add_option(filter.revoked.map(revoked));
    vpn_user::Entity::find().filter(condition)
}

fn status(status: VpnStatus) -> Expr {
    let own = Expr::col((vpn_session::Entity, vpn_session::Column::VpnUserId));
    let session = Query::select()
        .expr(Expr::cust("1"))
        .from(vpn_session::Entity)
        .and_where(own.eq(Expr::col((vpn_user::Entity, vpn_user::Column::Id))))
        .and_where_option(status_condition(&[SessionStatus::Active]))
        .take();
    match status {
        VpnStatus::Active => Expr::exists(session),
        VpnStatus::Inactive => Expr::exists(session).not(),
    }
}
