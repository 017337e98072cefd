use std::pin::Pin;

use sea_orm::{DatabaseTransaction, DbErr, TransactionError, TransactionTrait};
use tracing::Instrument;

use crate::{Db, Error};

/// The work of one transaction.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>;

/// Runs `work` in one transaction: committed when it succeeds, rolled back when it fails.
///
/// It runs in a task of its own, because a request whose client goes away is dropped at its next `await`, and a future
/// dropped inside `begin` can leave an open transaction on a pooled connection.
pub(crate) async fn in_transaction<T, F>(db: &Db, work: F) -> Result<T, Error>
where
    F: for<'c> FnOnce(&'c DatabaseTransaction) -> Work<'c, T> + Send + 'static,
    T: Send + 'static,
{
    let connection = db.connection.clone();
    let task = tokio::spawn(async move { connection.transaction(work).await }.in_current_span());
    match task.await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(TransactionError::Connection(error))) => Err(error.into()),
        Ok(Err(TransactionError::Transaction(error))) => Err(error),
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Unavailable(DbErr::Custom(
                "the process is shutting down".to_owned(),
            ))),
        },
    }
}
