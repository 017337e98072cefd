//! The audit log: who did what to which object. An entry is written in the transaction of the change it tells of.

mod action;
pub mod checkpoints;
mod filter;
mod list;
mod row;
mod stream;
mod verify;

use std::net::IpAddr;

use domain::audit_chain::canonical_json;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use serde_json::Value;

use crate::transaction::in_transaction;
use crate::{Db, Error};

pub use action::Action;
pub use filter::AuditFilter;
pub use list::{explain_list, list};
pub use stream::{AuditPiece, ChainState, stream, stream_behind};
pub use verify::{Trusted, verify};

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

/// One entry. `details` holds before and after values, never a secret or a hash.
#[derive(Debug, Clone)]
pub struct Entry {
    pub action: Action,
    /// The table's name.
    pub object_type: &'static str,
    pub object_id: Option<String>,
    pub details: Value,
}

const APPEND: &str = "SELECT append_audit_entry($1, $2, $3, $4, $5, $6, $7::inet, $8, $9)";

/// Appends an entry in the transaction of the change itself, so that there is no change without its entry.
///
/// Let it be the transaction's last statement: the chain's head stays locked from here until the commit, which keeps other
/// writers of the log waiting.
pub(crate) async fn append(change: &DatabaseTransaction, actor: &Actor, entry: Entry) -> Result<(), Error> {
    let values = [
        actor.portal_user_id.into(),
        storable(&actor.name).into(),
        entry.action.as_str().into(),
        entry.object_type.into(),
        entry.object_id.as_deref().map(storable).into(),
        canonical_json(&entry.details).into(),
        actor.ip_address.map(|address| address.to_string()).into(),
        actor.user_agent.as_deref().map(storable).into(),
        actor.request_id.as_deref().map(storable).into(),
    ];
    change
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, APPEND, values))
        .await?;
    Ok(())
}

/// PostgreSQL takes no NUL in a text; what a stranger typed must not keep its entry from being written.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Appends an entry for something that changed nothing, such as a failed login.
pub async fn record(db: &Db, actor: Actor, entry: Entry) -> Result<(), Error> {
    in_transaction(db, move |change| {
        Box::pin(async move { append(change, &actor, entry).await })
    })
    .await
}
