use sea_orm::sea_query::{Condition, Expr, Query};
use sea_orm::{ColumnTrait, QueryFilter, QueryTrait};
use serde_json::Value;
use uuid::Uuid;

use super::row::{of_server, of_user};
use super::{SessionFilter, SessionRow, find_many, select};
use crate::entities::{vpn_server, vpn_session, vpn_user};
use crate::paging::{Page, PageRequest, SortKey, TimeCursor, TimeList, Total, explain};
use crate::{Db, Error};

/// What a list of sessions is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionSort {
    /// Of any number of sessions; every other key only of as many as are counted exactly.
    ConnectedAt,
    LastSeenAt,
    DisconnectedAt,
    DurationSeconds,
    BytesIn,
    BytesOut,
    RealIp,
    VirtualIp,
    CommonName,
    ServerInstance,
    SessionStatus,
}

/// The order of a list of sessions. Unknown values come last in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionOrder {
    pub sort: SessionSort,
    pub descending: bool,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// More sessions match than can be sorted by anything but their connect time.
    #[error("too many sessions match to sort them so")]
    TooManyToSort,
    #[error(transparent)]
    Database(#[from] Error),
}

/// One page of the sessions that match.
///
/// # Errors
/// [`ListError::TooManyToSort`] when more than [`crate::paging::EXACT_UP_TO`] match and the order is not by connect time.
pub async fn list(
    db: &Db,
    filter: &SessionFilter,
    order: SessionOrder,
    request: &PageRequest<TimeCursor>,
) -> Result<Page<SessionRow, TimeCursor>, ListError> {
    let Some(matching) = filter.resolve(db).await? else {
        return Ok(Page {
            rows: Vec::new(),
            total: Total::exactly(0),
            next: None,
        });
    };
    let keys = match sort_key(order) {
        None => time_list(filter, matching, order).page(db, request).await?,
        Some(sort) => {
            let sorted = time_list(filter, matching, order)
                .page_sorted(db, request, &sort)
                .await?;
            sorted.ok_or(ListError::TooManyToSort)?
        }
    };
    let ids: Vec<Uuid> = keys.rows.iter().map(|key| key.id).collect();
    Ok(Page {
        rows: find_many(db, &ids).await?,
        total: keys.total,
        next: keys.next,
    })
}

/// The planner's plans for every statement that [`list`] may run for these arguments: what it costs, before it is paid.
pub async fn explain_list(
    db: &Db,
    filter: &SessionFilter,
    order: SessionOrder,
    request: &PageRequest<TimeCursor>,
) -> Result<Vec<Value>, Error> {
    let Some(matching) = filter.resolve(db).await? else {
        return Ok(Vec::new());
    };
    let list = time_list(filter, matching, order);
    let mut statements = list.statements(db, request, sort_key(order).as_ref()).await?;
    let some_ids: Vec<Uuid> = (0..request.per_page).map(|n| Uuid::from_u128(n.into())).collect();
    statements.push(select().filter(vpn_session::Column::Id.eq_any(some_ids)).into_query());
    let mut plans = Vec::with_capacity(statements.len());
    for statement in &statements {
        plans.push(explain(db, statement).await?);
    }
    Ok(plans)
}

fn time_list(filter: &SessionFilter, matching: Condition, order: SessionOrder) -> TimeList {
    let matching = Query::select().from(vpn_session::Entity).cond_where(matching).take();
    let column = |column: vpn_session::Column| (vpn_session::Entity, column);
    let descending = order.descending || order.sort != SessionSort::ConnectedAt;
    let list = TimeList::new(
        matching,
        column(vpn_session::Column::ConnectedAt),
        column(vpn_session::Column::Id),
        descending,
    );
    if filter.is_by_time_only() {
        list.counted_by_index()
    } else {
        list
    }
}

fn sort_key(order: SessionOrder) -> Option<SortKey> {
    use vpn_session::Column as Session;
    let column = |column: Session| Expr::col((vpn_session::Entity, column));
    let value = match order.sort {
        SessionSort::ConnectedAt => return None,
        SessionSort::LastSeenAt => column(Session::LastSeenAt),
        SessionSort::DisconnectedAt => column(Session::DisconnectedAt),
        SessionSort::DurationSeconds => Expr::cust(
            r#"coalesce("duration_seconds", extract(epoch FROM coalesce("disconnected_at", now()) - "connected_at")::bigint)"#,
        ),
        SessionSort::BytesIn => column(Session::BytesIn),
        SessionSort::BytesOut => column(Session::BytesOut),
        SessionSort::RealIp => column(Session::RealIp),
        SessionSort::VirtualIp => column(Session::VirtualIp),
        SessionSort::CommonName => of_user(Expr::col((vpn_user::Entity, vpn_user::Column::CommonName))),
        SessionSort::ServerInstance => of_server(Expr::col((vpn_server::Entity, vpn_server::Column::Name))),
        SessionSort::SessionStatus => column(Session::SessionStatus),
    };
    Some(SortKey {
        value,
        descending: order.descending,
    })
}
