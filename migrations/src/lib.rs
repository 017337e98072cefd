//! The schema of the database, as plain SQL steps. Run by one job (`migrations up`), never by a starting service.

mod roles;

use sea_orm_migration::prelude::*;

pub use roles::{RolePassword, SERVICE_ROLES, UnusablePassword};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let steps = [
            Step {
                name: "0001_spine",
                up: include_str!("../sql/0001_spine.up.sql"),
                down: include_str!("../sql/0001_spine.down.sql"),
            },
            Step {
                name: "0002_service_roles",
                up: include_str!("../sql/0002_service_roles.up.sql"),
                down: include_str!("../sql/0002_service_roles.down.sql"),
            },
            Step {
                name: "0003_portal_access",
                up: include_str!("../sql/0003_portal_access.up.sql"),
                down: include_str!("../sql/0003_portal_access.down.sql"),
            },
            Step {
                name: "0004_audit_chain",
                up: include_str!("../sql/0004_audit_chain.up.sql"),
                down: include_str!("../sql/0004_audit_chain.down.sql"),
            },
            Step {
                name: "0005_live_portal",
                up: include_str!("../sql/0005_live_portal.up.sql"),
                down: include_str!("../sql/0005_live_portal.down.sql"),
            },
            Step {
                name: "0006_commands",
                up: include_str!("../sql/0006_commands.up.sql"),
                down: include_str!("../sql/0006_commands.down.sql"),
            },
            Step {
                name: "0007_inventory",
                up: include_str!("../sql/0007_inventory.up.sql"),
                down: include_str!("../sql/0007_inventory.down.sql"),
            },
        ];
        steps
            .into_iter()
            .map(|step| -> Box<dyn MigrationTrait> { Box::new(step) })
            .collect()
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

/// Applies every outstanding step, then sets the given passwords of the services' roles. Concurrent callers wait for one
/// another on an advisory lock.
pub async fn up(database_url: &str, passwords: &[RolePassword]) -> anyhow::Result<()> {
    locked(database_url, async |connection| {
        Migrator::up(connection, None).await?;
        roles::set_passwords(connection, passwords).await
    })
    .await
}

/// Takes the last `steps` steps back. Roles stay: other databases of the cluster may use them.
pub async fn down(database_url: &str, steps: u32) -> anyhow::Result<()> {
    locked(database_url, async |connection| {
        Ok(Migrator::down(connection, Some(steps)).await?)
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
    work: impl AsyncFnOnce(&sea_orm_migration::sea_orm::DatabaseConnection) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
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
