use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use serde::Deserialize;

use crate::Error;

/// How a service reaches PostgreSQL.
#[derive(Debug, Clone, Deserialize)]
pub struct DatabaseConfig {
    pub database_url: String,
    /// Connections of one process.
    #[serde(default = "default_pool_size")]
    pub database_pool_size: u32,
    /// How long a request waits for a connection.
    #[serde(default = "default_connect_timeout")]
    pub database_connect_timeout_seconds: u64,
}

fn default_pool_size() -> u32 {
    8
}

fn default_connect_timeout() -> u64 {
    5
}

/// A pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pub(crate) connection: DatabaseConnection,
}

impl Db {
    /// Connects, and so proves that address and credentials are right.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the server cannot be reached.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, Error> {
        Self::connect_with(config, &[]).await
    }

    /// Connects for [`crate::apply`], whose statements go from a batch's rows to the tables by one B-tree index or another. The
    /// planner is left no choice: tables that have grown since they were last counted look small to it, and then it reads
    /// them whole, or asks the trigram index of searches for equal names.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the server cannot be reached.
    pub async fn connect_for_batches(config: &DatabaseConfig) -> Result<Self, Error> {
        let settings = [
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_material", "off"),
        ];
        Self::connect_with(config, &settings).await
    }

    async fn connect_with(config: &DatabaseConfig, settings: &[(&'static str, &'static str)]) -> Result<Self, Error> {
        let settings = settings.to_vec();
        let wait = Duration::from_secs(config.database_connect_timeout_seconds);
        let mut options = ConnectOptions::new(&config.database_url);
        options
            .max_connections(config.database_pool_size)
            .min_connections(0)
            .connect_timeout(wait)
            .acquire_timeout(wait)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(move |options| {
                let options = options.options(settings.iter().copied());
                options.options([
                    // A transaction left open by a dropped future must not swallow later commits of its connection.
                    ("idle_in_transaction_session_timeout", "30s"),
                    ("timezone", "UTC"),
                    // Compiling a plan costs more than any statement of ours that is worth it takes: 50 to 150 ms.
                    ("jit", "off"),
                ])
            });
        Ok(Self {
            connection: Database::connect(options).await?,
        })
    }

    /// Asks the server for an answer.
    pub async fn ping(&self) -> Result<(), Error> {
        self.connection.execute_unprepared("SELECT 1").await?;
        Ok(())
    }
}
