//! The schema of the database, as plain SQL steps. Run by one job (`migrations up`), never by a starting service.

use sea_orm_migration::prelude::*;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Step {
            name: "0001_spine",
            up: include_str!("../sql/0001_spine.up.sql"),
            down: include_str!("../sql/0001_spine.down.sql"),
        })]
    }
}

/// One step: the SQL that makes it and the SQL that takes it back.
struct Step {
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await.map(drop)
    }
}

/// Applies every outstanding step. Concurrent callers wait for one another on an advisory lock.
pub async fn up(database_url: &str) -> Result<(), DbErr> {
    locked(database_url, async |connection| Migrator::up(connection, None).await).await
}

/// Takes the last `steps` steps back.
pub async fn down(database_url: &str, steps: u32) -> Result<(), DbErr> {
    locked(database_url, async |connection| {
        Migrator::down(connection, Some(steps)).await
    })
    .await
}

/// Names of the steps that `up` would apply.
pub async fn pending(database_url: &str) -> Result<Vec<String>, DbErr> {
    let connection = connect(database_url).await?;
    let pending = Migrator::get_pending_migrations(&connection).await?;
    Ok(pending.iter().map(|step| step.name().to_owned()).collect())
}

/// sea-orm-migration has no lock of its own: concurrent runs would collide half-way.
const LOCK: &str = "SELECT pg_advisory_lock(hashtext('openvpn-telemetry migrations'))";

async fn locked(
    database_url: &str,
    work: impl AsyncFnOnce(&sea_orm_migration::sea_orm::DatabaseConnection) -> Result<(), DbErr>,
) -> Result<(), DbErr> {
    let guard = connect(database_url).await?;
    guard.execute_unprepared(LOCK).await?;
    let connection = connect(database_url).await?;
    let result = work(&connection).await;
    // Closing the session releases the lock, also when `work` failed.
    guard.close().await?;
    result
}

async fn connect(database_url: &str) -> Result<sea_orm_migration::sea_orm::DatabaseConnection, DbErr> {
    let mut options = sea_orm_migration::sea_orm::ConnectOptions::new(database_url);
    options.max_connections(1).sqlx_logging(false);
    sea_orm_migration::sea_orm::Database::connect(options).await
}
