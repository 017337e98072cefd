use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{PortalSession, end, entry, family};
use crate::audit::{self, Action, Actor};
use crate::entities::{portal_session as table, portal_user};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// What became of a refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The next token of the family is valid.
    Rotated(PortalSession),
    /// No token of ours, or its session is over, or its user is not active.
    Invalid,
    /// It had been used longer ago than the grace: somebody has a copy. The session has ended; the caller has to deny its
    /// access tokens.
    Reused(Uuid),
}

/// Exchanges a refresh token for the next one of its family (both as SHA-256). A token that was used at most `grace` ago gets
/// one as well: several tabs may come at once. `actor` is named after the portal user when there is something to audit.
pub async fn rotate(
    db: &Db,
    presented: [u8; 32],
    next: [u8; 32],
    at: OffsetDateTime,
    grace: Duration,
    actor: Actor,
) -> Result<Rotation, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let Some((session, token)) = family::lock(change, presented).await? else {
                return Ok(Rotation::Invalid);
            };
            if session.ended_at.is_some() || session.expires_at <= at {
                return Ok(Rotation::Invalid);
            }
            let Some(user) = active_user(change, session.portal_user_id).await? else {
                return Ok(Rotation::Invalid);
            };
            match token.used_at {
                Some(used_at) if at - used_at > grace => {
                    kill(change, &session, &user, at, actor).await?;
                    return Ok(Rotation::Reused(session.id));
                }
                Some(_) => {}
                None => family::mark_used(change, presented, at).await?,
            }
            family::add(change, session.id, next, at).await?;
            note_use(change, session.id, at).await?;
            Ok(Rotation::Rotated(PortalSession {
                id: session.id,
                portal_user_id: user.id,
                token_version: user.token_version,
                expires_at: session.expires_at,
                remember_me: session.remember_me,
            }))
        })
    })
    .await
}

async fn active_user(change: &DatabaseTransaction, id: i64) -> Result<Option<portal_user::Model>, Error> {
    let user = portal_user::Entity::find_by_id(id)
        .filter(portal_user::Column::IsActive.eq(true))
        .filter(portal_user::Column::DeletedAt.is_null())
        .one(change)
        .await?;
    Ok(user)
}

async fn note_use(change: &DatabaseTransaction, id: Uuid, at: OffsetDateTime) -> Result<(), Error> {
    table::Entity::update_many()
        .col_expr(table::Column::LastUsedAt, Expr::value(at))
        .filter(table::Column::Id.eq(id))
        .exec(change)
        .await?;
    Ok(())
}

/// The thief and the owner both lose it: which of them came first cannot be known.
async fn kill(
    change: &DatabaseTransaction,
    session: &table::Model,
    user: &portal_user::Model,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<(), Error> {
    end::mark(change, session.id, "refresh_reused", at).await?;
    let actor = Actor {
        portal_user_id: Some(user.id),
        name: user.username.clone(),
        ..actor
    };
    let details = json!({"portal_session": session.id});
    audit::append(change, &actor, entry(Action::RefreshReused, user.id, details)).await
}
