//! Public halves of the keys that sign access tokens: every service verifies with these.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TryInsertResult};
use serde_json::json;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::token_signing_key as table;
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// A public key (Ed25519) and the `kid` that tokens name it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub kid: String,
    pub public_key: [u8; 32],
}

/// What became of a key that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    Added,
    AlreadyThere,
    /// Its tokens are no longer accepted anywhere: it must not sign.
    Retired,
}

/// Makes a key known to every service. Doing so again changes nothing.
pub async fn publish(db: &Db, key: SigningKey, actor: Actor) -> Result<Published, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let row = table::ActiveModel {
                kid: Set(key.kid.clone()),
                public_key: Set(key.public_key.to_vec()),
                ..Default::default()
            };
            let inserted = table::Entity::insert(row)
                .on_conflict_do_nothing_on([table::Column::Kid])
                .exec(change)
                .await?;
            if matches!(inserted, TryInsertResult::Inserted(_)) {
                let entry = Entry {
                    action: Action::Create,
                    object_type: "token_signing_key",
                    object_id: Some(key.kid),
                    details: json!({}),
                };
                audit::append(change, &actor, entry).await?;
                return Ok(Published::Added);
            }
            let row = table::Entity::find_by_id(key.kid).one(change).await?;
            let retired = row.is_some_and(|row| row.retired_at.is_some());
            Ok(if retired {
                Published::Retired
            } else {
                Published::AlreadyThere
            })
        })
    })
    .await
}

/// The keys whose tokens are accepted, in a stable order.
pub async fn list(db: &Db) -> Result<Vec<SigningKey>, Error> {
    let rows = table::Entity::find()
        .filter(table::Column::RetiredAt.is_null())
        .order_by_asc(table::Column::CreatedAt)
        .order_by_asc(table::Column::Kid)
        .all(&db.connection)
        .await?;
    rows.into_iter().map(from_row).collect()
}

fn from_row(row: table::Model) -> Result<SigningKey, Error> {
    let public_key = row
        .public_key
        .try_into()
        .map_err(|_| Error::Corrupt(format!("public key {} is not 32 bytes", row.kid)))?;
    Ok(SigningKey {
        kid: row.kid,
        public_key,
    })
}
