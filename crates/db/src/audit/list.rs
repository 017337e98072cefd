use sea_orm::sea_query::Query;
use sea_orm::{DbBackend, FromQueryResult, Statement};
use serde_json::Value;

use domain::audit_chain::ChainedEntry;

use super::AuditFilter;
use super::row::{COLUMNS, EntryRow};
use crate::paging::{Page, PageRequest, TimeCursor, TimeList, explain};
use crate::{Db, Error};

/// One page of the entries that match, in the order of their times.
pub async fn list(
    db: &Db,
    filter: &AuditFilter,
    descending: bool,
    request: &PageRequest<TimeCursor<i64>>,
) -> Result<Page<ChainedEntry, TimeCursor<i64>>, Error> {
    let keys = time_list(filter, descending).page(db, request).await?;
    let ids: Vec<i64> = keys.rows.iter().map(|key| key.id).collect();
    Ok(Page {
        rows: find_many(db, ids).await?,
        total: keys.total,
        next: keys.next,
    })
}

/// The planner's plans for the statements that [`list`] may run.
pub async fn explain_list(
    db: &Db,
    filter: &AuditFilter,
    request: &PageRequest<TimeCursor<i64>>,
) -> Result<Vec<Value>, Error> {
    let mut plans = Vec::new();
    for statement in time_list(filter, true).statements(db, request, None).await? {
        plans.push(explain(db, &statement).await?);
    }
    Ok(plans)
}

fn time_list(filter: &AuditFilter, descending: bool) -> TimeList<i64> {
    let matching = Query::select().from("audit_log").cond_where(filter.condition()).take();
    let list = TimeList::new(matching, ("audit_log", "created_at"), ("audit_log", "id"), descending);
    if filter.is_by_time_only() {
        list.counted_by_index()
    } else {
        list
    }
}

/// The entries with these numbers, in this order.
async fn find_many(db: &Db, ids: Vec<i64>) -> Result<Vec<ChainedEntry>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (id, place) \
         JOIN audit_log ON audit_log.id = wanted.id ORDER BY place"
    );
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [ids.into()]);
    let rows = EntryRow::find_by_statement(statement).all(&db.connection).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
