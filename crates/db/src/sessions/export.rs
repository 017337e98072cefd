use std::collections::BTreeSet;

use sea_orm::sea_query::{Condition, Order};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, IsolationLevel, QueryTrait,
    Statement, StatementBuilder, TransactionTrait,
};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::{SessionFilter, SessionRow, select};
use crate::entities::vpn_session;
use crate::servers::{GapRow, gaps_within};
use crate::{Db, Error};

/// A piece of an export.
#[derive(Debug)]
pub enum ExportItem {
    Sessions(Vec<SessionRow>),
    /// Missing events of the servers and the time that the export covers. The last piece of a complete export.
    Gaps(Vec<GapRow>),
}

/// Rows of a piece.
const PIECE: u32 = 1_000;
/// Pieces that wait for the reader.
const WAITING: usize = 4;

/// Every session that matches, in the order of their connect times, as of one instant. It is read only as fast as the
/// receiver takes it, and ends when the receiver is dropped.
pub fn export(db: &Db, filter: SessionFilter, descending: bool) -> mpsc::Receiver<Result<ExportItem, Error>> {
    let (pieces, receiver) = mpsc::channel(WAITING);
    let db = db.clone();
    // In a task of its own: a transaction must not be dropped with the request.
    let task = async move {
        if let Err(error) = run(&db, &filter, descending, &pieces).await {
            let _ = pieces.send(Err(error)).await;
        }
    };
    tokio::spawn(task.in_current_span());
    receiver
}

type Pieces = mpsc::Sender<Result<ExportItem, Error>>;

async fn run(db: &Db, filter: &SessionFilter, descending: bool, pieces: &Pieces) -> Result<(), Error> {
    let matching = filter.resolve(db).await?;
    let isolation = Some(IsolationLevel::RepeatableRead);
    let snapshot = db
        .connection
        .begin_with_config(isolation, Some(AccessMode::ReadOnly))
        .await?;
    let mut latest = None;
    let mut chosen = Chosen::default();
    if let Some(matching) = matching {
        declare(&snapshot, matching, descending).await?;
        while let Some(rows) = fetch(&snapshot).await? {
            latest = latest.max(rows.iter().map(end).max());
            chosen.add(filter, &rows);
            if pieces.send(Ok(ExportItem::Sessions(rows))).await.is_err() {
                return Ok(snapshot.rollback().await?);
            }
        }
    }
    // A session may have ended after the last one connected: gaps count until then.
    let until = filter
        .connected_before
        .map(|before| latest.map_or(before, |latest: OffsetDateTime| latest.max(before)));
    let gaps = match chosen.earliest {
        Some(earliest) => gaps_within(&snapshot, &chosen.server_ids(), Some(earliest), latest).await?,
        None => gaps_within(&snapshot, &filter.server_ids, filter.connected_from, until).await?,
    };
    let _ = pieces.send(Ok(ExportItem::Gaps(gaps))).await;
    Ok(snapshot.rollback().await?)
}

/// What an export of single sessions covers: their servers and their time.
#[derive(Default)]
struct Chosen {
    servers: BTreeSet<i32>,
    earliest: Option<OffsetDateTime>,
}

impl Chosen {
    fn add(&mut self, filter: &SessionFilter, rows: &[SessionRow]) {
        if filter.ids.is_empty() {
            return;
        }
        self.servers.extend(rows.iter().map(|row| row.session.server_id));
        let connects = rows.iter().map(|row| row.session.connected_at);
        self.earliest = self.earliest.into_iter().chain(connects).min();
    }

    fn server_ids(&self) -> Vec<i32> {
        self.servers.iter().copied().collect()
    }
}

/// A cursor, so that an export that nobody reads on costs nothing more.
async fn declare(snapshot: &DatabaseTransaction, matching: Condition, descending: bool) -> Result<(), Error> {
    let order = if descending { Order::Desc } else { Order::Asc };
    let mut rows = select().into_query();
    rows.cond_where(matching)
        .order_by((vpn_session::Entity, vpn_session::Column::ConnectedAt), order.clone())
        .order_by((vpn_session::Entity, vpn_session::Column::Id), order);
    let statement = StatementBuilder::build(&rows, &DbBackend::Postgres);
    let sql = format!("DECLARE session_export NO SCROLL CURSOR FOR {}", statement.sql);
    snapshot.execute_raw(Statement { sql, ..statement }).await?;
    Ok(())
}

async fn fetch(snapshot: &DatabaseTransaction) -> Result<Option<Vec<SessionRow>>, Error> {
    let statement = Statement::from_string(
        DbBackend::Postgres,
        format!("FETCH FORWARD {PIECE} FROM session_export"),
    );
    let rows = SessionRow::find_by_statement(statement).all(snapshot).await?;
    Ok((!rows.is_empty()).then_some(rows))
}

fn end(row: &SessionRow) -> OffsetDateTime {
    let session = &row.session;
    session
        .end_not_after
        .or(session.disconnected_at)
        .unwrap_or(session.last_seen_at)
}
