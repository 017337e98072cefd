use sea_orm::{DbBackend, FromQueryResult, Statement, Value};
use time::OffsetDateTime;

use crate::entities::enums::UserType;
use crate::paging::explain_statement;
use crate::{Db, Error};

/// How long the parts of a report are; all in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    Hour,
    Day,
    Month,
}

/// What a report is split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    Nothing,
    Server,
    UserType,
}

/// Which usage is asked for. Parts that are empty do not narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageFilter {
    pub from: OffsetDateTime,
    /// The first instant that is too late.
    pub to: OffsetDateTime,
    pub server_ids: Vec<i32>,
    pub user_types: Vec<UserType>,
}

/// A part of a report: either sessions that connected and their VPN users, or the bytes that flowed.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct BucketUsage {
    pub start: OffsetDateTime,
    /// The VPN server's name or the user type; `None` when the report is not split, or the type is not known.
    pub name: Option<String>,
    /// Sessions, or bytes in.
    pub first: i64,
    /// VPN users, or bytes out.
    pub second: i64,
}

/// A VPN user with the bytes of a range.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct TopUser {
    pub vpn_user_id: i64,
    pub common_name: String,
    pub full_name: Option<String>,
    pub bytes_in: i64,
    pub bytes_out: i64,
    /// Sessions that connected within the range.
    pub sessions: i64,
}

/// Bytes that flowed, as `first` (in) and `second` (out). Whole hours count: `from` is taken down and `to` up to one.
pub async fn bytes_by_bucket(
    db: &Db,
    filter: &UsageFilter,
    bucket: Bucket,
    group_by: GroupBy,
) -> Result<Vec<BucketUsage>, Error> {
    let statement = bytes_statement(filter, bucket, group_by);
    Ok(BucketUsage::find_by_statement(statement).all(&db.connection).await?)
}

fn bytes_statement(filter: &UsageFilter, bucket: Bucket, group_by: GroupBy) -> Statement {
    // Summed by what the index holds first: names are looked up for few rows.
    let sql = format!(
        "WITH summed AS (
            SELECT date_trunc('{unit}', hour) AS start, {key} AS key, sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out
            FROM usage_hour AS u {users}
            WHERE hour >= date_trunc('hour', $1) AND hour < $2 AND {conditions} GROUP BY 1, 2)
        SELECT start, {name} AS name, least(bytes_in, {MOST})::bigint AS first, least(bytes_out, {MOST})::bigint AS second
        FROM summed ORDER BY 1, 2",
        unit = bucket.unit(),
        key = group_by.key(),
        name = group_by.name(),
        users = users(filter, group_by),
        conditions = CONDITIONS,
    );
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values(filter))
}

/// Sessions that connected, as `first`, and how many VPN users that were, as `second`.
pub async fn sessions_by_bucket(
    db: &Db,
    filter: &UsageFilter,
    bucket: Bucket,
    group_by: GroupBy,
) -> Result<Vec<BucketUsage>, Error> {
    let statement = sessions_statement(filter, bucket, group_by);
    Ok(BucketUsage::find_by_statement(statement).all(&db.connection).await?)
}

fn sessions_statement(filter: &UsageFilter, bucket: Bucket, group_by: GroupBy) -> Statement {
    // By VPN user first: `count(DISTINCT …)` would sort every session.
    let sql = format!(
        "WITH by_user AS (
            SELECT date_trunc('{unit}', connected_at) AS start, {key} AS key, u.vpn_user_id, count(*) AS sessions
            FROM vpn_session AS u {users}
            WHERE connected_at >= $1 AND connected_at < $2 AND {conditions} GROUP BY 1, 2, 3
        ), summed AS (
            SELECT start, key, sum(sessions)::bigint AS sessions, count(*) AS vpn_users FROM by_user GROUP BY 1, 2)
        SELECT start, {name} AS name, sessions AS first, vpn_users AS second FROM summed ORDER BY 1, 2",
        unit = bucket.unit(),
        key = group_by.key(),
        name = group_by.name(),
        users = users(filter, group_by),
        conditions = CONDITIONS,
    );
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values(filter))
}

/// The VPN users that moved most bytes, in whole hours, most first.
pub async fn top_users(db: &Db, filter: &UsageFilter, limit: u64) -> Result<Vec<TopUser>, Error> {
    let statement = top_users_statement(filter, limit);
    Ok(TopUser::find_by_statement(statement).all(&db.connection).await?)
}

/// The planner's plans for what reports of a filter run.
pub async fn explain_reports(db: &Db, filter: &UsageFilter) -> Result<Vec<serde_json::Value>, Error> {
    let groups = [GroupBy::Nothing, GroupBy::Server, GroupBy::UserType];
    let mut statements = vec![top_users_statement(filter, 10)];
    for group_by in groups {
        statements.push(bytes_statement(filter, Bucket::Day, group_by));
        statements.push(sessions_statement(filter, Bucket::Day, group_by));
    }
    let mut plans = Vec::with_capacity(statements.len());
    for statement in statements {
        plans.push(explain_statement(db, statement).await?);
    }
    Ok(plans)
}

fn top_users_statement(filter: &UsageFilter, limit: u64) -> Statement {
    let sql = format!(
        "WITH summed AS MATERIALIZED (
            SELECT u.vpn_user_id, sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out
            FROM usage_hour AS u {users}
            WHERE hour >= date_trunc('hour', $1) AND hour < $2 AND {CONDITIONS}
            GROUP BY u.vpn_user_id ORDER BY sum(bytes_in) + sum(bytes_out) DESC, u.vpn_user_id LIMIT $5)
        SELECT s.vpn_user_id, v.common_name, v.full_name, least(s.bytes_in, {MOST})::bigint AS bytes_in,
            least(s.bytes_out, {MOST})::bigint AS bytes_out,
            (SELECT count(*) FROM vpn_session c WHERE c.vpn_user_id = s.vpn_user_id AND c.connected_at >= $1
                AND c.connected_at < $2 AND ($3::int[] IS NULL OR c.server_id = ANY ($3))) AS sessions
        FROM summed s JOIN vpn_user v ON v.id = s.vpn_user_id ORDER BY s.bytes_in + s.bytes_out DESC, s.vpn_user_id",
        users = users(filter, GroupBy::Nothing),
    );
    let mut values = values(filter);
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

const MOST: &str = "9223372036854775807";
const CONDITIONS: &str =
    "($3::int[] IS NULL OR u.server_id = ANY ($3)) AND ($4::text[] IS NULL OR p.user_type = ANY ($4))";

impl Bucket {
    fn unit(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl GroupBy {
    fn key(self) -> &'static str {
        match self {
            Self::Nothing => "NULL::text",
            Self::Server => "u.server_id",
            Self::UserType => "p.user_type",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nothing | Self::UserType => "key",
            Self::Server => "(SELECT v.name FROM vpn_server v WHERE v.id = key)",
        }
    }
}

/// `p`: what is known of the VPN user, where it is asked for.
fn users(filter: &UsageFilter, group_by: GroupBy) -> &'static str {
    if filter.user_types.is_empty() && group_by != GroupBy::UserType {
        "CROSS JOIN (SELECT NULL::text AS user_type) p"
    } else {
        "JOIN (SELECT id, user_type::text FROM vpn_user) p ON p.id = u.vpn_user_id"
    }
}

fn values(filter: &UsageFilter) -> Vec<Value> {
    let types = filter.user_types.iter().map(|one| {
        use sea_orm::ActiveEnum;
        one.to_value()
    });
    let types: Vec<String> = types.collect();
    vec![
        filter.from.into(),
        filter.to.into(),
        (!filter.server_ids.is_empty())
            .then(|| filter.server_ids.clone())
            .into(),
        (!types.is_empty()).then_some(types).into(),
    ]
}
