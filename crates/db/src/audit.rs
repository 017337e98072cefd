//! The audit log: who did what to which object. An entry is written in the transaction of the change it tells of.

use std::net::IpAddr;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use serde_json::Value;

use crate::transaction::in_transaction;
use crate::{Db, Error};

/// Who acts, and from where.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// None for programs, command lines and those who failed to log in.
    pub portal_user_id: Option<i64>,
    pub name: String,
    pub ip_address: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

impl Actor {
    /// A program or a command line, known by name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
    Revoke,
    Login,
    LoginFailed,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Revoke => "revoke",
            Self::Login => "login",
            Self::LoginFailed => "login_failed",
        }
    }
}

/// One entry. `details` holds before and after values, never a secret or a hash.
#[derive(Debug, Clone)]
pub struct Entry {
    pub action: Action,
    /// The table's name.
    pub object_type: &'static str,
    pub object_id: Option<String>,
    pub details: Value,
}

const APPEND: &str = "INSERT INTO audit_log \
    (actor_portal_user_id, actor_name, action, object_type, object_id, details_json, ip_address, user_agent, request_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7::inet, $8, $9)";

/// Appends an entry in the transaction of the change itself, so that there is no change without its entry.
pub(crate) async fn append(change: &DatabaseTransaction, actor: &Actor, entry: Entry) -> Result<(), Error> {
    let values = [
        actor.portal_user_id.into(),
        actor.name.as_str().into(),
        entry.action.as_str().into(),
        entry.object_type.into(),
        entry.object_id.into(),
        entry.details.into(),
        actor.ip_address.map(|address| address.to_string()).into(),
        actor.user_agent.clone().into(),
        actor.request_id.clone().into(),
    ];
    change
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, APPEND, values))
        .await?;
    Ok(())
}

/// Appends an entry for something that changed nothing, such as a failed login.
pub async fn record(db: &Db, actor: Actor, entry: Entry) -> Result<(), Error> {
    in_transaction(db, move |change| {
        Box::pin(async move { append(change, &actor, entry).await })
    })
    .await
}
