//! What a portal user sees of the own doings: logins, portal sessions, audit entries.

use std::net::IpAddr;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{entry, living_sessions as living};
use crate::audit::{self, Action, Actor};
use crate::entities::{login_attempt, portal_session};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// An attempt to log in as a known portal user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub at: OffsetDateTime,
    pub ip_address: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// `accepted`, or why not.
    pub outcome: String,
}

/// A portal session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivingSession {
    pub id: Uuid,
    pub created_at: OffsetDateTime,
    pub last_used_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub remember_me: bool,
    pub ip_address: Option<IpAddr>,
    pub user_agent: Option<String>,
}

/// An audit entry about something that the user did.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnEntry {
    pub id: i64,
    pub created_at: OffsetDateTime,
    pub action: String,
    pub object_type: String,
    pub object_id: Option<String>,
    pub details: Value,
    pub ip_address: Option<String>,
}

/// The latest attempts to log in as this user, newest first: those that succeeded, or those that failed.
pub async fn logins(db: &Db, portal_user_id: i64, accepted: bool, limit: u64) -> Result<Vec<Attempt>, Error> {
    use login_attempt::Column::{At, Id, Outcome, PortalUserId};
    let outcomes = match accepted {
        true => Outcome.eq("accepted"),
        // The first half of a login with a second factor is no failure.
        false => Outcome.is_not_in(["accepted", "otp_pending", "otp_required"]),
    };
    let rows = login_attempt::Entity::find()
        .filter(PortalUserId.eq(portal_user_id).and(outcomes))
        .order_by_desc(At)
        .order_by_desc(Id)
        .limit(limit)
        .all(&db.connection)
        .await?;
    let attempt = |row: login_attempt::Model| Attempt {
        at: row.at,
        ip_address: row.ip_address.map(|address| address.ip()),
        user_agent: row.user_agent,
        outcome: row.outcome,
    };
    Ok(rows.into_iter().map(attempt).collect())
}

/// The portal sessions of a user that live now, the one used last first.
pub async fn living_sessions(db: &Db, portal_user_id: i64, now: OffsetDateTime) -> Result<Vec<LivingSession>, Error> {
    use portal_session::Column::{EndedAt, ExpiresAt, Id, LastUsedAt, PortalUserId};
    let rows = portal_session::Entity::find()
        .filter(PortalUserId.eq(portal_user_id))
        .filter(EndedAt.is_null().and(ExpiresAt.gt(now)))
        .order_by_desc(LastUsedAt)
        .order_by_asc(Id)
        .all(&db.connection)
        .await?;
    let session = |row: portal_session::Model| LivingSession {
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        remember_me: row.remember_me,
        ip_address: row.ip_address.map(|address| address.ip()),
        user_agent: row.user_agent,
    };
    Ok(rows.into_iter().map(session).collect())
}

/// Ends one portal session of a user; the caller has to deny its access tokens. False when the user has no such session.
pub async fn end_session(
    db: &Db,
    portal_user_id: i64,
    session: Uuid,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<bool, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            if !living::end_one(change, portal_user_id, session, "signed_out_elsewhere", at).await? {
                return Ok(false);
            }
            let details = json!({"portal_session": session, "signed_out_elsewhere": true});
            audit::append(change, &actor, entry(Action::Logout, portal_user_id, details)).await?;
            Ok(true)
        })
    })
    .await
}

const OWN_ENTRIES: &str = "SELECT id, created_at, action, object_type, object_id, details_json, host(ip_address) AS ip \
    FROM audit_log WHERE actor_portal_user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2";

/// The latest audit entries about what a portal user did, newest first.
pub async fn own_entries(db: &Db, portal_user_id: i64, limit: u64) -> Result<Vec<OwnEntry>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [portal_user_id.into(), limit.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, OWN_ENTRIES, values);
    let rows = db.connection.query_all_raw(statement).await?;
    let own_entry = |row: &sea_orm::QueryResult| {
        Ok(OwnEntry {
            id: row.try_get("", "id")?,
            created_at: row.try_get("", "created_at")?,
            action: row.try_get("", "action")?,
            object_type: row.try_get("", "object_type")?,
            object_id: row.try_get("", "object_id")?,
            details: row.try_get("", "details_json")?,
            ip_address: row.try_get("", "ip")?,
        })
    };
    rows.iter().map(own_entry).collect()
}
