//! The registry of VPN servers. A server with history is retired, never erased.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, TryInsertResult, sea_query::Expr};
use serde_json::json;
use time::OffsetDateTime;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::vpn_server as table;
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// A registered VPN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredServer {
    pub id: i32,
    /// The agent's `server_id` and the API's `server_instance`.
    pub name: String,
    pub description: String,
    /// One common name may have several sessions at once.
    pub duplicate_cn: bool,
    pub retired_at: Option<OffsetDateTime>,
}

/// A VPN server to register. Its name must satisfy [`is_valid_name`].
#[derive(Debug, Clone)]
pub struct NewServer {
    pub name: String,
    pub description: String,
    pub duplicate_cn: bool,
}

/// 1–63 characters: letters, digits, `.`, `_`, `-`, the first a letter or digit. The same rule as the table's.
pub fn is_valid_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Registers a server and returns its id; `None` when the name is taken, also by a retired server.
///
/// # Errors
/// [`Error::Refused`] for a name that is not valid.
pub async fn create(db: &Db, new: NewServer, actor: Actor) -> Result<Option<i32>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let details =
                json!({"after": {"name": new.name, "description": new.description, "duplicate_cn": new.duplicate_cn}});
            let row = table::ActiveModel {
                name: Set(new.name),
                description: Set(new.description),
                duplicate_cn: Set(new.duplicate_cn),
                ..Default::default()
            };
            let inserted = table::Entity::insert(row)
                .on_conflict_do_nothing_on([table::Column::Name])
                .exec(change)
                .await?;
            let TryInsertResult::Inserted(inserted) = inserted else {
                return Ok(None);
            };
            let id = inserted.last_insert_id;
            audit::append(change, &actor, entry(Action::Create, id, details)).await?;
            Ok(Some(id))
        })
    })
    .await
}

pub async fn find_by_name(db: &Db, name: &str) -> Result<Option<RegisteredServer>, Error> {
    let row = table::Entity::find()
        .filter(table::Column::Name.eq(name))
        .one(&db.connection)
        .await?;
    Ok(row.map(|row| RegisteredServer {
        id: row.id,
        name: row.name,
        description: row.description,
        duplicate_cn: row.duplicate_cn,
        retired_at: row.retired_at,
    }))
}

/// Takes a server out of service: its keys are refused from now on, its history stays. False when it was not in service.
pub async fn retire(db: &Db, id: i32, at: OffsetDateTime, actor: Actor) -> Result<bool, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let updated = table::Entity::update_many()
                .col_expr(table::Column::RetiredAt, Expr::value(at))
                .filter(table::Column::Id.eq(id).and(table::Column::RetiredAt.is_null()))
                .exec(change)
                .await?;
            if updated.rows_affected == 0 {
                return Ok(false);
            }
            let details = json!({"before": {"retired": false}, "after": {"retired": true}});
            audit::append(change, &actor, entry(Action::Delete, id, details)).await?;
            Ok(true)
        })
    })
    .await
}

fn entry(action: Action, id: i32, details: serde_json::Value) -> Entry {
    Entry {
        action,
        object_type: "vpn_server",
        object_id: Some(id.to_string()),
        details,
    }
}
