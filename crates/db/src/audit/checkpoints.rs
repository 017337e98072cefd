//! Signed heads of the chain, and the keys that sign them.

use domain::audit_chain::{Checkpoint, Head, PublicKey};
use domain::time_format::{format_millis, parse_rfc3339};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use time::OffsetDateTime;

use super::row::hash;
use crate::{Db, Error};

/// Where the chain ends now.
pub async fn head(db: &Db) -> Result<Head, Error> {
    let sql = "SELECT last_id, entry_hash FROM audit_head";
    let row = db
        .connection
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let row = row.ok_or_else(|| Error::Corrupt("audit_head has no row".to_owned()))?;
    Ok(Head {
        last_id: row.try_get("", "last_id")?,
        entry_hash: hash(row.try_get("", "entry_hash")?),
    })
}

/// The checkpoint of the latest entry.
pub async fn latest(db: &Db) -> Result<Option<Checkpoint>, Error> {
    let found = select(&db.connection, "ORDER BY id DESC LIMIT 1").await?;
    Ok(found.into_iter().next())
}

/// Stores a checkpoint; one that is there already stays as it is.
pub async fn insert(db: &Db, checkpoint: &Checkpoint) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO audit_checkpoint (id, entry_hash, signed_at, kid, signature) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let signed_at = parse_rfc3339(&checkpoint.signed_at);
    let values = [
        checkpoint.id.into(),
        checkpoint.entry_hash.to_vec().into(),
        signed_at.into(),
        checkpoint.kid.as_str().into(),
        checkpoint.signature.to_vec().into(),
    ];
    db.connection
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, INSERT, values))
        .await?;
    Ok(())
}

/// Makes a key known that signs checkpoints.
pub async fn publish_key(db: &Db, key: &PublicKey) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO audit_signing_key (kid, public_key) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    let values = [key.kid.as_str().into(), key.public_key.to_vec().into()];
    db.connection
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, INSERT, values))
        .await?;
    Ok(())
}

pub(super) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<Checkpoint>, Error> {
    select(connection, "ORDER BY id").await
}

pub(super) async fn keys(connection: &impl ConnectionTrait) -> Result<Vec<PublicKey>, Error> {
    let sql = "SELECT public_key FROM audit_signing_key ORDER BY created_at";
    let rows = connection
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let bytes: Vec<u8> = row.try_get("", "public_key")?;
        // Anything else than a key signs nothing.
        keys.extend(bytes.try_into().map(PublicKey::new));
    }
    Ok(keys)
}

async fn select(connection: &impl ConnectionTrait, order: &str) -> Result<Vec<Checkpoint>, Error> {
    let sql = format!("SELECT id, entry_hash, signed_at, kid, signature FROM audit_checkpoint {order}");
    let rows = connection
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let mut checkpoints = Vec::with_capacity(rows.len());
    for row in rows {
        let signed_at: OffsetDateTime = row.try_get("", "signed_at")?;
        let signature: Vec<u8> = row.try_get("", "signature")?;
        checkpoints.push(Checkpoint {
            id: row.try_get("", "id")?,
            entry_hash: hash(row.try_get("", "entry_hash")?),
            signed_at: format_millis(signed_at),
            kid: row.try_get("", "kid")?,
            signature: signature.try_into().unwrap_or([0; 64]),
        });
    }
    Ok(checkpoints)
}
