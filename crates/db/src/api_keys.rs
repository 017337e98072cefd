//! API keys of agents, `ovt_<key id>_<secret>`: several a server, so that they can be rotated.

use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use time::OffsetDateTime;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::{server_api_key as table, vpn_server};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// A key as ingest checks it. It is good while neither it is revoked nor its server retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub key_id: String,
    pub server_key: i32,
    pub server_name: String,
    /// SHA-256 of the secret's text, as it stands in the key.
    pub secret_sha256: [u8; 32],
    pub revoked_at: Option<OffsetDateTime>,
    pub server_retired: bool,
}

/// A key to store.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// 12 characters of `a-z0-9`.
    pub key_id: String,
    pub server_id: i32,
    pub secret_sha256: [u8; 32],
    pub label: String,
}

/// A key in the list of its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedApiKey {
    pub key_id: String,
    pub label: String,
    pub created_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
}

/// What became of a key that was to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    Created(ListedApiKey),
    UnknownServer,
    /// Its agent would be refused.
    ServerRetired,
}

/// What became of a key that was to be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    Revoked,
    AlreadyRevoked,
    UnknownKey,
}

/// The key and its server, whatever their state.
pub async fn find(db: &Db, key_id: &str) -> Result<Option<ApiKey>, Error> {
    let row = table::Entity::find_by_id(key_id)
        .find_also_related(vpn_server::Entity)
        .one(&db.connection)
        .await?;
    let Some((key, server)) = row else { return Ok(None) };
    let server = server.ok_or_else(|| Error::Corrupt(format!("API key {key_id} has no server")))?;
    let secret_sha256 = key
        .secret_sha256
        .try_into()
        .map_err(|_| Error::Corrupt(format!("the hash of API key {key_id} is not 32 bytes")))?;
    Ok(Some(ApiKey {
        key_id: key.key_id,
        server_key: key.server_id,
        server_name: server.name,
        secret_sha256,
        revoked_at: key.revoked_at,
        server_retired: server.retired_at.is_some(),
    }))
}

/// Stores a new key.
///
/// # Errors
/// [`Error::Refused`] when the key id is taken or malformed.
pub async fn create(db: &Db, new: NewApiKey, at: OffsetDateTime, actor: Actor) -> Result<Creation, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let Some(server) = vpn_server::Entity::find_by_id(new.server_id).one(change).await? else {
                return Ok(Creation::UnknownServer);
            };
            if server.retired_at.is_some() {
                return Ok(Creation::ServerRetired);
            }
            let details = json!({"after": {"server_id": server.id, "server": server.name, "label": new.label}});
            let entry = entry(Action::Create, &new.key_id, details);
            let row = table::ActiveModel {
                key_id: Set(new.key_id),
                server_id: Set(new.server_id),
                secret_sha256: Set(new.secret_sha256.to_vec()),
                label: Set(new.label),
                created_at: Set(at),
                revoked_at: Set(None),
            };
            let created = table::Entity::insert(row).exec_with_returning(change).await?;
            audit::append(change, &actor, entry).await?;
            Ok(Creation::Created(from_row(created)))
        })
    })
    .await
}

/// Revokes a key for good; with `server_id` only a key of that server. Ingest replicas that hold it in their cache learn of
/// it over the bus, from the caller.
pub async fn revoke(
    db: &Db,
    server_id: Option<i32>,
    key_id: &str,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<Revocation, Error> {
    let key_id = key_id.to_owned();
    in_transaction(db, move |change| {
        Box::pin(async move {
            let row = table::Entity::find_by_id(&key_id)
                .lock(LockType::NoKeyUpdate)
                .one(change)
                .await?;
            let Some(row) = row.filter(|row| server_id.is_none_or(|server_id| server_id == row.server_id)) else {
                return Ok(Revocation::UnknownKey);
            };
            if row.revoked_at.is_some() {
                return Ok(Revocation::AlreadyRevoked);
            }
            let details = json!({"before": {"server_id": row.server_id, "label": row.label}});
            let mut row = row.into_active_model();
            row.revoked_at = Set(Some(at));
            row.update(change).await?;
            audit::append(change, &actor, entry(Action::Revoke, &key_id, details)).await?;
            Ok(Revocation::Revoked)
        })
    })
    .await
}

/// The keys of a server, revoked ones too, oldest first; `None` when there is no such server.
pub async fn list_for_server(db: &Db, server_id: i32) -> Result<Option<Vec<ListedApiKey>>, Error> {
    let server = vpn_server::Entity::find_by_id(server_id).one(&db.connection).await?;
    if server.is_none() {
        return Ok(None);
    }
    let rows = table::Entity::find()
        .filter(table::Column::ServerId.eq(server_id))
        .order_by_asc(table::Column::CreatedAt)
        .order_by_asc(table::Column::KeyId)
        .all(&db.connection)
        .await?;
    Ok(Some(rows.into_iter().map(from_row).collect()))
}

fn from_row(row: table::Model) -> ListedApiKey {
    ListedApiKey {
        key_id: row.key_id,
        label: row.label,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    }
}

fn entry(action: Action, key_id: &str, details: serde_json::Value) -> Entry {
    Entry {
        action,
        object_type: "server_api_key",
        object_id: Some(key_id.to_owned()),
        details,
    }
}
