use domain::role::Role;
use sea_orm::sea_query::extension::postgres::PgExpr as _;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Func, NullOrdering, Order, Query};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::accounts::{Account, with_roles};
use crate::entities::{portal_user as table, portal_user_role};
use crate::{Db, Error};

/// Which portal users are asked for; deleted ones never are. Parts that are empty do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Part of the username or e-mail.
    pub search: Option<String>,
    /// Those who have this role, perhaps among others.
    pub role: Option<Role>,
    pub is_active: Option<bool>,
}

/// What a list of portal users is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountSort {
    /// In any case.
    Username,
    Email,
    LastPortalLoginAt,
    CreatedAt,
}

/// The order of a list of portal users. Unknown values come last in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountOrder {
    pub sort: AccountSort,
    pub descending: bool,
}

/// Some of the portal users that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    pub accounts: Vec<Account>,
    /// Of all that match.
    pub total: u64,
}

/// At most `limit` of the portal users that match, behind the first `offset`.
pub async fn list(
    db: &Db,
    filter: &AccountFilter,
    order: AccountOrder,
    offset: u64,
    limit: u64,
) -> Result<AccountPage, Error> {
    let total = matching(filter).count(&db.connection).await?;
    let rows = sorted(matching(filter), order).offset(offset).limit(limit);
    let rows = rows.all(&db.connection).await?;
    let accounts = with_roles(&db.connection, rows).await?;
    Ok(AccountPage { accounts, total })
}

fn sorted(rows: Select<table::Entity>, order: AccountOrder) -> Select<table::Entity> {
    use table::Column::{CreatedAt, Email, Id, LastPortalLoginAt, Username};
    let direction = if order.descending { Order::Desc } else { Order::Asc };
    let by = match order.sort {
        AccountSort::Username => Func::lower(Expr::col(Username)).into(),
        AccountSort::Email => Func::lower(Expr::col(Email)).into(),
        AccountSort::LastPortalLoginAt => Expr::col(LastPortalLoginAt),
        AccountSort::CreatedAt => Expr::col(CreatedAt),
    };
    rows.order_by_with_nulls(by, direction.clone(), NullOrdering::Last)
        .order_by(Id, direction)
}

fn matching(filter: &AccountFilter) -> Select<table::Entity> {
    let condition = Condition::all()
        .add(table::Column::DeletedAt.is_null())
        .add_option(filter.is_active.map(|active| table::Column::IsActive.eq(active)))
        .add_option(filter.role.map(has_role))
        .add_option(filter.search.as_deref().map(named));
    table::Entity::find().filter(condition)
}

fn has_role(role: Role) -> Expr {
    let holders = Query::select()
        .column(portal_user_role::Column::PortalUserId)
        .from(portal_user_role::Entity)
        .and_where(portal_user_role::Column::PortalRoleId.eq(role.id()))
        .take();
    table::Column::Id.in_subquery(holders)
}

fn named(text: &str) -> Expr {
    let escaped = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    let matches = |column: table::Column| Expr::col((table::Entity, column)).ilike(format!("%{escaped}%"));
    matches(table::Column::Username).or(matches(table::Column::Email))
}
