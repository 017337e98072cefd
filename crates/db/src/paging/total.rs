use sea_orm::sea_query::{Expr, Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, Statement, StatementBuilder};
use serde_json::Value;

use crate::{Db, Error};

/// Up to this many rows a total is exact.
pub const EXACT_UP_TO: u64 = 10_000;

/// How many rows a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub rows: u64,
    /// The planner's estimate, above [`EXACT_UP_TO`].
    pub is_estimate: bool,
}

impl Total {
    pub(crate) fn exactly(rows: u64) -> Self {
        Self {
            rows,
            is_estimate: false,
        }
    }

    pub(crate) fn about(rows: u64) -> Self {
        Self {
            rows: rows.max(EXACT_UP_TO + 1),
            is_estimate: true,
        }
    }
}

/// Counts the rows of `select`, but no further than one more than [`EXACT_UP_TO`].
pub(crate) fn count_statement(mut select: SelectStatement) -> SelectStatement {
    select.limit(EXACT_UP_TO + 1);
    count_all_statement(select)
}

pub(crate) fn count_all_statement(select: SelectStatement) -> SelectStatement {
    Query::select()
        .expr(Func::count(Expr::cust("*")))
        .from_subquery(select, "counted")
        .take()
}

/// Rows of `select`, or one more than [`EXACT_UP_TO`] when there are more.
pub(crate) async fn bounded_count(db: &Db, select: SelectStatement) -> Result<u64, Error> {
    count(db, &count_statement(select)).await
}

pub(crate) async fn count(db: &Db, count: &SelectStatement) -> Result<u64, Error> {
    let row = db.connection.query_one(count).await?;
    let counted: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u64::try_from(counted).unwrap_or_default())
}

/// How many rows the planner expects of `select`.
pub(crate) async fn planned_rows(db: &Db, select: &SelectStatement) -> Result<u64, Error> {
    let plan = explain(db, select).await?;
    let rows = plan
        .pointer("/0/Plan/Plan Rows")
        .and_then(Value::as_f64)
        .unwrap_or_default();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of rows, never negative"
    )]
    Ok(rows as u64)
}

/// The planner's plan for `select`, with its values.
pub(crate) async fn explain(db: &Db, select: &SelectStatement) -> Result<Value, Error> {
    explain_statement(db, StatementBuilder::build(select, &DbBackend::Postgres)).await
}

/// The planner's plan for a statement, with its values.
pub(crate) async fn explain_statement(db: &Db, statement: Statement) -> Result<Value, Error> {
    let explained = Statement {
        sql: format!("EXPLAIN (FORMAT JSON) {}", statement.sql),
        ..statement
    };
    let row = db.connection.query_one_raw(explained).await?;
    let row = row.ok_or_else(|| Error::Corrupt("EXPLAIN gave no row".to_owned()))?;
    Ok(row.try_get_by_index(0)?)
}
