//! The registry of VPN servers. A server with history is retired, never erased.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, TransactionTrait,
    TryInsertResult, sea_query::Expr,
};
use serde_json::{Value, json};
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

/// What shall be different about a server. Parts that are none stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerChange {
    pub description: Option<String>,
    pub duplicate_cn: Option<bool>,
    /// True takes it out of service, false puts it back.
    pub retired: Option<bool>,
}

/// Changes a server; false when there is none. What changes nothing leaves no entry.
pub async fn update(db: &Db, id: i32, wanted: ServerChange, at: OffsetDateTime, actor: Actor) -> Result<bool, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let Some(before) = locked(change, id).await? else {
                return Ok(false);
            };
            let mut after = before.clone();
            after.description = wanted.description.unwrap_or(after.description);
            after.duplicate_cn = wanted.duplicate_cn.unwrap_or(after.duplicate_cn);
            after.retired_at = match wanted.retired {
                Some(true) => before.retired_at.or(Some(at)),
                Some(false) => None,
                None => before.retired_at,
            };
            if after == before {
                return Ok(true);
            }
            store(change, &after).await?;
            audit::append(change, &actor, entry(Action::Update, id, difference(&before, &after))).await?;
            Ok(true)
        })
    })
    .await
}

/// What became of a server that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It had no history, and is gone.
    Erased,
    /// It is out of service: its keys are refused from now on, its history stays.
    Retired,
    AlreadyRetired,
    Unknown,
}

/// Erases a server that nothing refers to, and retires any other.
pub async fn delete(db: &Db, id: i32, at: OffsetDateTime, actor: Actor) -> Result<Deletion, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let Some(before) = locked(change, id).await? else {
                return Ok(Deletion::Unknown);
            };
            if erase(change, id).await? {
                let details = json!({"before": described(&before)});
                audit::append(change, &actor, entry(Action::Delete, id, details)).await?;
                return Ok(Deletion::Erased);
            }
            if before.retired_at.is_some() {
                return Ok(Deletion::AlreadyRetired);
            }
            let after = table::Model {
                retired_at: Some(at),
                ..before.clone()
            };
            store(change, &after).await?;
            audit::append(change, &actor, entry(Action::Delete, id, difference(&before, &after))).await?;
            Ok(Deletion::Retired)
        })
    })
    .await
}

/// The ids of the keys of a server, revoked ones too.
pub async fn key_ids(db: &Db, id: i32) -> Result<Vec<String>, Error> {
    use crate::entities::server_api_key::{Column, Entity};
    let ids = Entity::find()
        .select_only()
        .column(Column::KeyId)
        .filter(Column::ServerId.eq(id));
    Ok(ids.into_tuple().all(&db.connection).await?)
}

/// Takes a server out of service. False when it was not in service.
pub async fn retire(db: &Db, id: i32, at: OffsetDateTime, actor: Actor) -> Result<bool, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let before = locked(change, id).await?.filter(|server| server.retired_at.is_none());
            let Some(before) = before else {
                return Ok(false);
            };
            let after = table::Model {
                retired_at: Some(at),
                ..before.clone()
            };
            store(change, &after).await?;
            audit::append(change, &actor, entry(Action::Delete, id, difference(&before, &after))).await?;
            Ok(true)
        })
    })
    .await
}

/// The server, kept from changing until the transaction ends.
async fn locked(change: &DatabaseTransaction, id: i32) -> Result<Option<table::Model>, Error> {
    Ok(table::Entity::find_by_id(id).lock_exclusive().one(change).await?)
}

async fn store(change: &DatabaseTransaction, server: &table::Model) -> Result<(), Error> {
    table::Entity::update_many()
        .col_expr(table::Column::Description, Expr::value(server.description.as_str()))
        .col_expr(table::Column::DuplicateCn, Expr::value(server.duplicate_cn))
        .col_expr(table::Column::RetiredAt, Expr::value(server.retired_at))
        .filter(table::Column::Id.eq(server.id))
        .exec(change)
        .await?;
    Ok(())
}

/// Whether it could be erased: whatever refers to it forbids that. In a part of the transaction that can be taken back.
async fn erase(change: &DatabaseTransaction, id: i32) -> Result<bool, Error> {
    let attempt = change.begin().await?;
    match table::Entity::delete_by_id(id)
        .exec(&attempt)
        .await
        .map_err(Error::from)
    {
        Ok(_) => {
            attempt.commit().await?;
            Ok(true)
        }
        Err(Error::Refused(_)) => {
            attempt.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// A server as entries of the audit log tell it.
fn described(server: &table::Model) -> Value {
    json!({
        "name": server.name,
        "description": server.description,
        "duplicate_cn": server.duplicate_cn,
        "retired": server.retired_at.is_some(),
    })
}

/// What differs, before and after.
fn difference(before: &table::Model, after: &table::Model) -> Value {
    let (before, mut after) = (described(before), described(after));
    let mut changed = before.clone();
    if let (Some(before), Some(after), Some(changed)) =
        (before.as_object(), after.as_object_mut(), changed.as_object_mut())
    {
        after.retain(|name, value| before.get(name) != Some(value));
        changed.retain(|name, _| after.contains_key(name));
    }
    json!({"before": changed, "after": after})
}

fn entry(action: Action, id: i32, details: Value) -> Entry {
    Entry {
        action,
        object_type: "vpn_server",
        object_id: Some(id.to_string()),
        details,
    }
}
