//! The audit log: written by many at once, read back, and proved.

mod log;
mod migration;
mod rights;
mod rollback;
mod tampering;

use std::net::IpAddr;

use db::audit::{self, Action, Actor, Entry, Trusted};
use db::{DatabaseConfig, Db};
use domain::audit_chain::Report;
use serde_json::{Value, json};
use test_support::TestDatabase;

/// A database with an audit log, and a service that writes it.
struct Log {
    database: TestDatabase,
    db: Db,
}

impl Log {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let db = connect(&database).await;
        Self { database, db }
    }

    /// A log of this many entries.
    async fn with(entries: usize) -> Self {
        let log = Self::new().await;
        for n in 1..=entries {
            log.append(&format!("user{n}"), Action::Login, json!({"n": n})).await;
        }
        log
    }

    async fn append(&self, actor: &str, action: Action, details: Value) {
        audit::record(&self.db, actor_from(actor, "203.0.113.5"), entry(action, details))
            .await
            .unwrap();
    }

    async fn verify(&self) -> Report {
        audit::verify(&self.db, Trusted::default()).await.unwrap()
    }
}

/// The connections of one replica.
async fn connect(database: &TestDatabase) -> Db {
    let config = DatabaseConfig {
        database_url: database.url.clone(),
        database_pool_size: 4,
        database_connect_timeout_seconds: 30,
    };
    Db::connect(&config).await.unwrap()
}

fn actor_from(name: &str, address: &str) -> Actor {
    Actor {
        ip_address: Some(address.parse::<IpAddr>().unwrap()),
        user_agent: Some("test".to_owned()),
        ..Actor::named(name)
    }
}

fn entry(action: Action, details: Value) -> Entry {
    Entry {
        action,
        object_type: "portal_user",
        object_id: Some("7".to_owned()),
        details,
    }
}
