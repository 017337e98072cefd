use sea_orm::{DbErr, RuntimeErr};

/// What went wrong with the database, as far as callers decide differently.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke: the same call may succeed later.
    #[error("the database is not reachable")]
    Unavailable(#[source] DbErr),
    /// Another transaction was in the way (deadlock, serialization): run the transaction again.
    #[error("the transaction collided with another one")]
    Conflict(#[source] DbErr),
    /// It ran longer than this connection lets a statement run.
    #[error("the query took too long")]
    TimedOut(#[source] DbErr),
    /// A value that the database refuses: constraint, range, encoding, a contradiction to what is stored. The same call
    /// fails again.
    #[error("the database refused a value")]
    Refused(#[source] DbErr),
    /// A row that contradicts what this program writes.
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
    #[error("the query failed")]
    Query(#[source] DbErr),
}

impl Error {
    /// A value that contradicts what is stored, found by us rather than by the database.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(DbErr::Custom(reason.into()))
    }

    /// For rows that another transaction may have stored since this one looked: then it runs again and finds them.
    pub(crate) fn or_conflict(self) -> Self {
        match self {
            Self::Refused(error) if sqlstate(&error).as_deref() == Some(UNIQUE_VIOLATION) => Self::Conflict(error),
            other => other,
        }
    }

    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

const UNIQUE_VIOLATION: &str = "23505";

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match sqlstate(&error).as_deref() {
            Some("40001" | "40P01") => Self::Conflict(error),
            Some("57014") => Self::TimedOut(error),
            // Administrator shutdown, crash, "the database system is starting up", too many connections, read-only standby.
            Some(code)
                if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") || code == "25006" =>
            {
                Self::Unavailable(error)
            }
            // The same row twice in one statement, data exceptions, integrity constraints, more than an index row holds.
            Some(code) if ["21", "22", "23", "54"].iter().any(|class| code.starts_with(class)) => Self::Refused(error),
            Some(_) => Self::Query(error),
            None if is_connection_trouble(&error) => Self::Unavailable(error),
            None => Self::Query(error),
        }
    }
}

fn sqlstate(error: &DbErr) -> Option<String> {
    match runtime(error)? {
        RuntimeErr::SqlxError(error) => error.as_database_error()?.code().map(|code| code.into_owned()),
        RuntimeErr::Internal(_) => None,
    }
}

fn runtime(error: &DbErr) -> Option<&RuntimeErr> {
    match error {
        DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error) => Some(error),
        _ => None,
    }
}

fn is_connection_trouble(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        _ => matches!(
            runtime(error),
            Some(RuntimeErr::SqlxError(error)) if matches!(
                **error,
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_)
            )
        ),
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        DbErr::Query(RuntimeErr::SqlxError(error.into())).into()
    }
}
