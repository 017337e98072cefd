use std::time::Duration;

use sea_orm::{ConnectOptions, Database};

use crate::{Db, Error};

/// A pool that only reads.
#[derive(Debug, Clone)]
pub struct ReaderConfig {
    pub url: String,
    pub pool_size: u32,
    /// How long a request waits for a connection.
    pub connect_timeout: Duration,
    /// How long a query may run; `None` for as long as it takes (exports).
    pub statement_timeout: Option<Duration>,
}

/// How long an export may wait for its reader between two pieces before its transaction is ended.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(120);

impl Db {
    /// Connects a pool whose transactions cannot write, also to a replica.
    ///
    /// The planner is told what holds for these queries: each is planned for its own values (a filter that matches three
    /// rows and one that matches three million need different plans), random reads are cheap, compiling a query takes
    /// longer than running it, and no wrong estimate may make it read the whole history where an index could do.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the server cannot be reached.
    pub async fn connect_reader(config: &ReaderConfig) -> Result<Self, Error> {
        let statement_timeout = config.statement_timeout.unwrap_or_default().as_millis();
        let settings = [
            ("timezone", "UTC".to_owned()),
            ("default_transaction_read_only", "on".to_owned()),
            ("statement_timeout", statement_timeout.to_string()),
            (
                "idle_in_transaction_session_timeout",
                IDLE_IN_TRANSACTION.as_millis().to_string(),
            ),
            ("plan_cache_mode", "force_custom_plan".to_owned()),
            ("random_page_cost", "1.1".to_owned()),
            ("enable_seqscan", "off".to_owned()),
            ("jit", "off".to_owned()),
        ];
        let mut options = ConnectOptions::new(&config.url);
        options
            .max_connections(config.pool_size)
            .min_connections(0)
            .connect_timeout(config.connect_timeout)
            .acquire_timeout(config.connect_timeout)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(move |options| options.options(settings.clone()));
        Ok(Self {
            connection: Database::connect(options).await?,
        })
    }
}
