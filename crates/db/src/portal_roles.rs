//! The four roles, and whether they demand a second factor.

use domain::role::Role;
use sea_orm::sea_query::{Expr, LockType, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use time::OffsetDateTime;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::{portal_role as table, portal_user, portal_user_role};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// A role, as `GET /api/portal-roles` shows it.
pub type PortalRole = table::Model;

/// A role after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedRole {
    pub role: PortalRole,
    /// Portal users whose access tokens of a lower version are void from now on; the caller has to deny them.
    pub tokens_below: Vec<(i64, i32)>,
}

/// All roles, by id.
pub async fn list(db: &Db) -> Result<Vec<PortalRole>, Error> {
    Ok(table::Entity::find()
        .order_by_asc(table::Column::Id)
        .all(&db.connection)
        .await?)
}

/// Demands a second factor of everybody with a role, or no more. Whoever has none gets only tokens to enrol with from now on.
pub async fn set_requires_totp(
    db: &Db,
    role: Role,
    requires_totp: bool,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<EditedRole, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let found = table::Entity::find_by_id(role.id())
                .lock(LockType::NoKeyUpdate)
                .one(change)
                .await?;
            let mut row = found.ok_or_else(|| Error::Corrupt(format!("there is no role {role}")))?;
            if row.requires_totp == requires_totp {
                return Ok(EditedRole {
                    role: row,
                    tokens_below: Vec::new(),
                });
            }
            table::Entity::update_many()
                .col_expr(table::Column::RequiresTotp, Expr::value(requires_totp))
                .filter(table::Column::Id.eq(role.id()))
                .exec(change)
                .await?;
            row.requires_totp = requires_totp;
            let tokens_below = void_tokens(change, role, at).await?;
            let entry = Entry {
                action: Action::Update,
                object_type: "portal_role",
                object_id: Some(role.id().to_string()),
                details: json!({
                    "before": {"requires_totp": !requires_totp},
                    "after": {"name": role.as_str(), "requires_totp": requires_totp},
                }),
            };
            audit::append(change, &actor, entry).await?;
            Ok(EditedRole {
                role: row,
                tokens_below,
            })
        })
    })
    .await
}

/// Raises the token version of those with the role and without a second factor: their next token says what they may now.
async fn void_tokens(change: &DatabaseTransaction, role: Role, at: OffsetDateTime) -> Result<Vec<(i64, i32)>, Error> {
    use portal_user::Column;
    let holders = Query::select()
        .column(portal_user_role::Column::PortalUserId)
        .from(portal_user_role::Entity)
        .and_where(portal_user_role::Column::PortalRoleId.eq(role.id()))
        .take();
    let update = Query::update()
        .table(portal_user::Entity)
        .value(Column::TokenVersion, Expr::col(Column::TokenVersion).add(1))
        .value(Column::UpdatedAt, at)
        .and_where(Column::TotpConfirmedAt.is_null())
        .and_where(Column::Id.in_subquery(holders))
        .returning(Query::returning().columns([Column::Id, Column::TokenVersion]))
        .take();
    let rows = change.query_all(&update).await?;
    let version = |row: &sea_orm::QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    rows.iter().map(version).collect()
}
