//! The log as a whole, or what of it matches, as of one instant and read only as fast as it is taken.

use domain::audit_chain::{ChainedEntry, Checkpoint, Head, PublicKey};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, IsolationLevel, Statement,
    StatementBuilder, TransactionTrait,
};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::AuditFilter;
use super::checkpoints;
use super::row::{COLUMNS, EntryRow, hash};
use crate::{Db, Error};

/// A piece of the log.
#[derive(Debug)]
pub enum AuditPiece {
    /// The first piece: where the chain ends and what vouches for it.
    Begin(Box<ChainState>),
    Entries(Vec<ChainedEntry>),
    /// The last piece of a log that was read to its end.
    End,
}

/// The chain beside its entries.
#[derive(Debug, Clone)]
pub struct ChainState {
    pub head: Head,
    /// By the number of the entry.
    pub checkpoints: Vec<Checkpoint>,
    /// As the database has them; whoever does not trust it takes other ones.
    pub keys: Vec<PublicKey>,
}

/// Entries of a piece.
const PIECE: u32 = 2_000;
/// Pieces that wait for the reader.
const WAITING: usize = 4;

/// The entries that match, in the order of their numbers. Ends when the receiver is dropped.
pub fn stream(db: &Db, filter: AuditFilter) -> mpsc::Receiver<Result<AuditPiece, Error>> {
    from(db, filter, 0)
}

/// All entries behind the one with this number.
pub fn stream_behind(db: &Db, id: i64) -> mpsc::Receiver<Result<AuditPiece, Error>> {
    from(db, AuditFilter::default(), id)
}

fn from(db: &Db, filter: AuditFilter, behind: i64) -> mpsc::Receiver<Result<AuditPiece, Error>> {
    let (pieces, receiver) = mpsc::channel(WAITING);
    let db = db.clone();
    // In a task of its own: a transaction must not be dropped with the request.
    let task = async move {
        if let Err(error) = run(&db, &filter, behind, &pieces).await {
            let _ = pieces.send(Err(error)).await;
        }
    };
    tokio::spawn(task.in_current_span());
    receiver
}

type Pieces = mpsc::Sender<Result<AuditPiece, Error>>;

async fn run(db: &Db, filter: &AuditFilter, behind: i64, pieces: &Pieces) -> Result<(), Error> {
    let isolation = Some(IsolationLevel::RepeatableRead);
    let snapshot = db
        .connection
        .begin_with_config(isolation, Some(AccessMode::ReadOnly))
        .await?;
    let mut piece = AuditPiece::Begin(Box::new(state(&snapshot).await?));
    declare(&snapshot, filter, behind).await?;
    while pieces.send(Ok(piece)).await.is_ok() {
        let rows = fetch(&snapshot).await?;
        if rows.is_empty() {
            let _ = pieces.send(Ok(AuditPiece::End)).await;
            break;
        }
        piece = AuditPiece::Entries(rows);
    }
    Ok(snapshot.rollback().await?)
}

async fn state(snapshot: &DatabaseTransaction) -> Result<ChainState, Error> {
    let head = Statement::from_string(DbBackend::Postgres, "SELECT last_id, entry_hash FROM audit_head");
    let head = snapshot.query_one_raw(head).await?;
    let head = head.ok_or_else(|| Error::Corrupt("audit_head has no row".to_owned()))?;
    Ok(ChainState {
        head: Head {
            last_id: head.try_get("", "last_id")?,
            entry_hash: hash(head.try_get("", "entry_hash")?),
        },
        checkpoints: checkpoints::all(snapshot).await?,
        keys: checkpoints::keys(snapshot).await?,
    })
}

/// A cursor, so that an answer that nobody reads on costs nothing more.
async fn declare(snapshot: &DatabaseTransaction, filter: &AuditFilter, behind: i64) -> Result<(), Error> {
    let rows = Query::select()
        .expr(Expr::cust(COLUMNS))
        .from("audit_log")
        .cond_where(filter.condition())
        .and_where(Expr::col(("audit_log", "id")).gt(behind))
        .order_by(("audit_log", "id"), Order::Asc)
        .take();
    let statement = StatementBuilder::build(&rows, &DbBackend::Postgres);
    let sql = format!("DECLARE audit_stream NO SCROLL CURSOR FOR {}", statement.sql);
    snapshot.execute_raw(Statement { sql, ..statement }).await?;
    Ok(())
}

async fn fetch(snapshot: &DatabaseTransaction) -> Result<Vec<ChainedEntry>, Error> {
    let statement = Statement::from_string(DbBackend::Postgres, format!("FETCH FORWARD {PIECE} FROM audit_stream"));
    let rows = EntryRow::find_by_statement(statement).all(snapshot).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
