use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::enums::{BusinessStatus, UserType};
use crate::entities::vpn_user;
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// What to change of a VPN user's metadata: `None` stays, `Some(None)` becomes unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataEdit {
    pub full_name: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub contact_no: Option<Option<String>>,
    pub user_type: Option<Option<UserType>>,
    pub business_status: Option<Option<BusinessStatus>>,
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    Done,
    NoSuchUser,
    /// Somebody else has edited it meanwhile: this is its version now.
    Conflict(i32),
}

/// Edits a VPN user's metadata, if it still has the version that the editor saw, with the audit entry in the same
/// transaction. An edit that changes nothing leaves no entry and no new version.
pub async fn edit_metadata(
    db: &Db,
    id: i64,
    version: i32,
    edit: MetadataEdit,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<Edited, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move { run(change, id, version, edit, at, &actor).await })
    })
    .await
}

async fn run(
    change: &DatabaseTransaction,
    id: i64,
    version: i32,
    edit: MetadataEdit,
    at: OffsetDateTime,
    actor: &Actor,
) -> Result<Edited, Error> {
    let found = vpn_user::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(change)
        .await?;
    let Some(user) = found else {
        return Ok(Edited::NoSuchUser);
    };
    if user.metadata_version != version {
        return Ok(Edited::Conflict(user.metadata_version));
    }
    let (before, after) = differences(&user, &edit);
    if after.is_empty() {
        return Ok(Edited::Done);
    }
    let entry = Entry {
        action: Action::Update,
        object_type: "vpn_user",
        object_id: Some(id.to_string()),
        details: json!({"common_name": user.common_name, "before": before, "after": after}),
    };
    write(change, user, edit, at).await?;
    audit::append(change, actor, entry).await?;
    Ok(Edited::Done)
}

async fn write(
    change: &DatabaseTransaction,
    user: vpn_user::Model,
    edit: MetadataEdit,
    at: OffsetDateTime,
) -> Result<(), Error> {
    let next = user.metadata_version.wrapping_add(1);
    let mut row = user.into_active_model();
    if let Some(value) = edit.full_name {
        row.full_name = Set(value);
    }
    if let Some(value) = edit.email {
        row.email = Set(value);
    }
    if let Some(value) = edit.contact_no {
        row.contact_no = Set(value);
    }
    if let Some(value) = edit.user_type {
        row.user_type = Set(value);
    }
    if let Some(value) = edit.business_status {
        row.business_status = Set(value);
    }
    row.updated_at = Set(at);
    row.metadata_version = Set(next);
    row.update(change).await?;
    Ok(())
}

/// The fields that the edit changes, as they were and as they will be.
fn differences(user: &vpn_user::Model, edit: &MetadataEdit) -> (Map<String, Value>, Map<String, Value>) {
    let fields = [
        (
            "full_name",
            json!(user.full_name),
            edit.full_name.as_ref().map(|new| json!(new)),
        ),
        ("email", json!(user.email), edit.email.as_ref().map(|new| json!(new))),
        (
            "contact_no",
            json!(user.contact_no),
            edit.contact_no.as_ref().map(|new| json!(new)),
        ),
        ("user_type", json!(user.user_type), edit.user_type.map(|new| json!(new))),
        (
            "business_status",
            json!(user.business_status),
            edit.business_status.map(|new| json!(new)),
        ),
    ];
    let (mut before, mut after) = (Map::new(), Map::new());
    for (name, old, new) in fields {
        if let Some(new) = new.filter(|new| *new != old) {
            before.insert(name.to_owned(), old);
            after.insert(name.to_owned(), new);
        }
    }
    (before, after)
}
