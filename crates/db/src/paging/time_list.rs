use std::marker::PhantomData;

use sea_orm::sea_query::{ColumnRef, Expr, ExprTrait, IntoColumnRef, NullOrdering, Order, Query, SelectStatement};
use sea_orm::{DbBackend, DbErr, FromQueryResult, QueryResult, StatementBuilder, TryGetable, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::total::{count, count_all_statement, count_statement};
use super::{EXACT_UP_TO, Page, PageRequest, TimeCursor, Total, planned_rows};
use crate::{Db, Error};

/// Beyond this offset a list is counted, to be walked from its nearer end.
pub(crate) const DEEP_OFFSET: u64 = 200_000;

/// The key of a row in a list that is ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeKey<Id = Uuid> {
    pub(crate) at: OffsetDateTime,
    pub(crate) id: Id,
}

/// An id that decides between rows of the same time.
pub(crate) trait KeyId: TryGetable + Into<Value> + Copy {}

impl KeyId for Uuid {}
impl KeyId for i64 {}

impl<Id: KeyId> FromQueryResult for TimeKey<Id> {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            at: row.try_get(prefix, "at")?,
            id: row.try_get(prefix, "id")?,
        })
    }
}

/// An order that no index holds; unknown values come last.
#[derive(Debug, Clone)]
pub(crate) struct SortKey {
    pub(crate) value: Expr,
    pub(crate) descending: bool,
}

/// A list ordered by a time and an id, which an index holds together. Gives keys only: the rows are fetched by id.
#[derive(Debug, Clone)]
pub(crate) struct TimeList<Id = Uuid> {
    /// `FROM` and `WHERE`, without columns and order.
    filtered: SelectStatement,
    at: ColumnRef,
    id: ColumnRef,
    descending: bool,
    counts_fast: bool,
    keys: PhantomData<Id>,
}

impl<Id: KeyId> TimeList<Id> {
    pub(crate) fn new(
        filtered: SelectStatement,
        at: impl IntoColumnRef,
        id: impl IntoColumnRef,
        descending: bool,
    ) -> Self {
        Self {
            filtered,
            at: at.into_column_ref(),
            id: id.into_column_ref(),
            descending,
            counts_fast: false,
            keys: PhantomData,
        }
    }

    /// Says that an index alone can count the list, so that a page near its end is walked to from there.
    pub(crate) fn counted_by_index(mut self) -> Self {
        self.counts_fast = true;
        self
    }

    /// One page of keys.
    pub(crate) async fn page(
        &self,
        db: &Db,
        request: &PageRequest<TimeCursor<Id>>,
    ) -> Result<Page<TimeKey<Id>, TimeCursor<Id>>, Error> {
        let counted = count(db, &self.count()).await?;
        if counted <= EXACT_UP_TO {
            return self.forward(db, request, Total::exactly(counted)).await;
        }
        let total = Total::about(planned_rows(db, &self.keys(self.descending)).await?);
        if self.is_deep(request) && request.offset() > total.rows / 2 {
            return self.walk_from_nearer_end(db, request).await;
        }
        self.forward(db, request, total).await
    }

    /// One page of keys in another order than the list's own; `None` when there are too many rows to sort.
    pub(crate) async fn page_sorted(
        &self,
        db: &Db,
        request: &PageRequest<TimeCursor<Id>>,
        sort: &SortKey,
    ) -> Result<Option<Page<TimeKey<Id>, TimeCursor<Id>>>, Error> {
        let counted = count(db, &self.count()).await?;
        if counted > EXACT_UP_TO {
            return Ok(None);
        }
        let mut rows = fetch(db, &self.short_page_statement(request, Some(sort))).await?;
        rows.truncate(usize::try_from(request.per_page).unwrap_or(usize::MAX));
        Ok(Some(Page {
            rows,
            total: Total::exactly(counted),
            next: None,
        }))
    }

    /// Counts as far as totals are exact, in whatever order finds rows soonest. The bound that bounds nothing lets the planner
    /// walk the list's own index where the filter has none of its own.
    pub(crate) fn count(&self) -> SelectStatement {
        let mut keys = self.columns();
        count_statement(
            keys.and_where(Expr::col(self.at.clone()).gte(Expr::cust("'-infinity'")))
                .take(),
        )
    }

    /// The keys of a page and of one row more, which tells whether there is a next page.
    pub(crate) fn page_statement(&self, request: &PageRequest<TimeCursor<Id>>) -> SelectStatement {
        let mut keys = self.keys(self.descending);
        if let Some(cursor) = request.cursor() {
            keys.and_where(self.behind(cursor));
        }
        keys.limit(request.per_page + 1).offset(request.offset()).take()
    }

    /// A page of a list that was counted to be short: every match is gathered, then sorted. The planner cannot pull a
    /// subquery with an `OFFSET` up, so it does not walk the whole history in the list's order in search of few matches.
    pub(crate) fn short_page_statement(
        &self,
        request: &PageRequest<TimeCursor<Id>>,
        sort: Option<&SortKey>,
    ) -> SelectStatement {
        let mut matches = self.columns();
        if let Some(cursor) = request.cursor() {
            matches.and_where(self.behind(cursor));
        }
        if let Some(sort) = sort {
            matches.expr_as(sort.value.clone(), "sort_key");
        }
        let mut page = Query::select();
        page.columns(["at", "id"])
            .from_subquery(matches.offset(0).take(), "matches");
        match sort {
            Some(sort) => page.order_by_with_nulls("sort_key", order(sort.descending), NullOrdering::Last),
            None => page.order_by("at", order(self.descending)),
        };
        let id_order = order(sort.map_or(self.descending, |sort| sort.descending));
        page.order_by("id", id_order)
            .limit(request.per_page + 1)
            .offset(request.offset())
            .take()
    }

    async fn forward(
        &self,
        db: &Db,
        request: &PageRequest<TimeCursor<Id>>,
        total: Total,
    ) -> Result<Page<TimeKey<Id>, TimeCursor<Id>>, Error> {
        if !total.is_estimate && request.offset() >= total.rows {
            return Ok(Page {
                rows: Vec::new(),
                total,
                next: None,
            });
        }
        let statement = match total {
            Total {
                rows: ..=EXACT_UP_TO,
                is_estimate: false,
            } => self.short_page_statement(request, None),
            _ => self.page_statement(request),
        };
        Ok(self.cut(fetch(db, &statement).await?, request, total))
    }

    async fn walk_from_nearer_end(
        &self,
        db: &Db,
        request: &PageRequest<TimeCursor<Id>>,
    ) -> Result<Page<TimeKey<Id>, TimeCursor<Id>>, Error> {
        let total = count(db, &count_all_statement(self.columns())).await?;
        let behind_it = total.saturating_sub(request.offset());
        if behind_it > total / 2 || behind_it == 0 {
            return self.forward(db, request, Total::exactly(total)).await;
        }
        let wanted = Ord::min(behind_it, request.per_page + 1);
        let mut rows: Vec<TimeKey<Id>> = fetch(db, &self.backward_statement(wanted, behind_it - wanted)).await?;
        rows.reverse();
        Ok(self.cut(rows, request, Total::exactly(total)))
    }

    /// What [`Self::page`] or [`Self::page_sorted`] runs for this request, to be explained.
    pub(crate) async fn statements(
        &self,
        db: &Db,
        request: &PageRequest<TimeCursor<Id>>,
        sort: Option<&SortKey>,
    ) -> Result<Vec<SelectStatement>, Error> {
        let mut statements = vec![self.count()];
        if count(db, &self.count()).await? <= EXACT_UP_TO {
            statements.push(self.short_page_statement(request, sort));
        } else if sort.is_none() {
            statements.push(self.page_statement(request));
            if self.is_deep(request) {
                statements.push(count_all_statement(self.columns()));
                statements.push(self.backward_statement(request.per_page + 1, request.offset()));
            }
        }
        Ok(statements)
    }

    fn is_deep(&self, request: &PageRequest<TimeCursor<Id>>) -> bool {
        self.counts_fast && request.offset() > DEEP_OFFSET
    }

    /// Keys from the far end, in the opposite order.
    fn backward_statement(&self, limit: u64, offset: u64) -> SelectStatement {
        self.keys(!self.descending).limit(limit).offset(offset).take()
    }

    fn keys(&self, descending: bool) -> SelectStatement {
        let mut keys = self.columns();
        keys.order_by(self.at.clone(), order(descending))
            .order_by(self.id.clone(), order(descending))
            .take()
    }

    fn columns(&self) -> SelectStatement {
        let mut keys = self.filtered.clone();
        keys.expr_as(Expr::col(self.at.clone()), "at")
            .expr_as(Expr::col(self.id.clone()), "id")
            .take()
    }

    fn behind(&self, cursor: &TimeCursor<Id>) -> Expr {
        let key = Expr::tuple([Expr::col(self.at.clone()), Expr::col(self.id.clone())]);
        let last = Expr::tuple([Expr::value(cursor.at), Expr::value(cursor.id)]);
        if self.descending { key.lt(last) } else { key.gt(last) }
    }

    fn cut(
        &self,
        mut rows: Vec<TimeKey<Id>>,
        request: &PageRequest<TimeCursor<Id>>,
        total: Total,
    ) -> Page<TimeKey<Id>, TimeCursor<Id>> {
        let per_page = usize::try_from(request.per_page).unwrap_or(usize::MAX);
        let has_more = rows.len() > per_page;
        rows.truncate(per_page);
        let last = rows.last().filter(|_| has_more);
        let next = last.map(|key| TimeCursor {
            descending: self.descending,
            at: key.at,
            id: key.id,
        });
        Page { rows, total, next }
    }
}

fn order(descending: bool) -> Order {
    if descending { Order::Desc } else { Order::Asc }
}

async fn fetch<Id: KeyId>(db: &Db, keys: &SelectStatement) -> Result<Vec<TimeKey<Id>>, Error> {
    let statement = StatementBuilder::build(keys, &DbBackend::Postgres);
    Ok(TimeKey::find_by_statement(statement).all(&db.connection).await?)
}
