//! Portal sessions: one login on one device, kept alive by a family of refresh tokens, each of which is used once.

mod end;
mod family;
mod rotate;

use std::net::IpAddr;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter, Statement,
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::{login_attempt, portal_session as table};
use crate::transaction::in_transaction;
use crate::{Db, Error};

pub use end::{end_by_token, end_everywhere, remove_expired, revocations_since};
pub use rotate::{Rotation, rotate};

/// A portal session, as access tokens of it need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortalSession {
    pub id: Uuid,
    pub portal_user_id: i64,
    /// The user's token version at this moment: what is changed later makes a token with it worthless.
    pub token_version: i32,
    pub expires_at: OffsetDateTime,
    /// The browser shall keep it when it is closed.
    pub remember_me: bool,
}

/// A portal session to begin.
#[derive(Debug, Clone)]
pub struct NewPortalSession {
    pub id: Uuid,
    pub portal_user_id: i64,
    /// SHA-256 of its first refresh token.
    pub token_sha256: [u8; 32],
    pub at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub remember_me: bool,
    pub ip_address: Option<IpAddr>,
    pub user_agent: Option<String>,
}

/// Who may log in only with this password, and only while the user is active.
const LOG_IN: &str = "UPDATE portal_user SET last_portal_login_at = $1 \
    WHERE id = $2 AND password_hash = $3 AND is_active AND deleted_at IS NULL RETURNING token_version";

/// Begins a session and notes the login, its attempt and an audit entry. `None` when the password is no longer the one
/// behind `password_hash`, or the user no longer active.
pub async fn open(
    db: &Db,
    new: NewPortalSession,
    password_hash: String,
    attempt_id: i64,
    actor: Actor,
) -> Result<Option<PortalSession>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let values = [new.at.into(), new.portal_user_id.into(), password_hash.into()];
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, LOG_IN, values);
            let Some(user) = change.query_one_raw(statement).await? else {
                return Ok(None);
            };
            let session = PortalSession {
                id: new.id,
                portal_user_id: new.portal_user_id,
                token_version: user.try_get("", "token_version")?,
                expires_at: new.expires_at,
                remember_me: new.remember_me,
            };
            insert(change, new).await?;
            accept(change, attempt_id).await?;
            let details = json!({"portal_session": session.id});
            audit::append(change, &actor, entry(Action::Login, session.portal_user_id, details)).await?;
            Ok(Some(session))
        })
    })
    .await
}

async fn insert(change: &DatabaseTransaction, new: NewPortalSession) -> Result<(), Error> {
    let row = table::ActiveModel {
        id: Set(new.id),
        portal_user_id: Set(new.portal_user_id),
        created_at: Set(new.at),
        last_used_at: Set(new.at),
        expires_at: Set(new.expires_at),
        remember_me: Set(new.remember_me),
        ip_address: Set(new.ip_address.map(Into::into)),
        user_agent: Set(new.user_agent),
        ended_at: Set(None),
        end_reason: Set(None),
    };
    table::Entity::insert(row).exec_without_returning(change).await?;
    family::add(change, new.id, new.token_sha256, new.at).await
}

async fn accept(change: &DatabaseTransaction, attempt_id: i64) -> Result<(), Error> {
    login_attempt::Entity::update_many()
        .col_expr(login_attempt::Column::Outcome, Expr::value("accepted"))
        .filter(login_attempt::Column::Id.eq(attempt_id))
        .exec(change)
        .await?;
    Ok(())
}

fn entry(action: Action, portal_user_id: i64, details: serde_json::Value) -> Entry {
    Entry {
        action,
        object_type: "portal_user",
        object_id: Some(portal_user_id.to_string()),
        details,
    }
}
