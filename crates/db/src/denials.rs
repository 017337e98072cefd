//! VPN users who may not connect to a VPN server for a time.

use sea_orm::sea_query::{Condition, Expr, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    FromQueryResult, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait, Select,
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::audit::{self, Action, Actor, Entry};
use crate::entities::vpn_denial::{self, Column};
use crate::entities::{session_command, vpn_server, vpn_user};
use crate::paging::{Page, PageRequest, TimeCursor, TimeList};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// A denial with the names that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct DenialRow {
    #[sea_orm(nested)]
    pub denial: vpn_denial::Model,
    pub common_name: String,
    pub server_instance: String,
}

/// Which denials are asked for. Parts that are empty do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DenialFilter {
    /// Those in force at this instant.
    pub in_force_at: Option<OffsetDateTime>,
    pub server_ids: Vec<i32>,
    pub vpn_user_id: Option<i64>,
}

/// What became of a denial that was to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    Revoked(Box<DenialRow>),
    UnknownDenial,
    /// It was revoked before, or its time is over.
    NotInForce,
}

/// Stores the denial that a command asks for, if it does. Its audit entry is the command's.
pub(crate) async fn create(change: &impl ConnectionTrait, command: &session_command::Model) -> Result<(), Error> {
    let Some(deny_until) = command.deny_until else {
        return Ok(());
    };
    let denial = vpn_denial::ActiveModel {
        id: Set(command.id),
        server_id: Set(command.server_id),
        vpn_user_id: Set(command.vpn_user_id),
        requested_by: Set(command.requested_by),
        requested_by_name: Set(command.requested_by_name.clone()),
        reason: Set(command.reason.clone()),
        created_at: Set(command.requested_at),
        deny_until: Set(deny_until),
        ..Default::default()
    };
    denial.insert(change).await?;
    Ok(())
}

/// Denials, newest first.
pub async fn list(
    db: &Db,
    filter: &DenialFilter,
    request: &PageRequest<TimeCursor>,
) -> Result<Page<DenialRow, TimeCursor>, Error> {
    let column = |column: Column| (vpn_denial::Entity, column);
    let in_force = filter.in_force_at.map(|at| {
        Condition::all()
            .add(Column::RevokedAt.is_null())
            .add(Column::DenyUntil.gt(at))
    });
    let wanted = Condition::all()
        .add_option(in_force)
        .add_option((!filter.server_ids.is_empty()).then(|| Column::ServerId.eq_any(filter.server_ids.clone())))
        .add_option(filter.vpn_user_id.map(|id| Column::VpnUserId.eq(id)));
    let matching = Query::select().from(vpn_denial::Entity).cond_where(wanted).take();
    let page = TimeList::new(matching, column(Column::CreatedAt), column(Column::Id), true)
        .page(db, request)
        .await?;
    let ids: Vec<Uuid> = page.rows.iter().map(|key| key.id).collect();
    let rows = select()
        .filter(Column::Id.eq_any(ids))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    Ok(Page {
        rows: rows.into_model().all(&db.connection).await?,
        total: page.total,
        next: page.next,
    })
}

/// Ends a denial before its time, with its audit entry.
pub async fn revoke(db: &Db, id: Uuid, at: OffsetDateTime, actor: Actor) -> Result<Revocation, Error> {
    in_transaction(db, move |change| Box::pin(revoke_within(change, id, at, actor))).await
}

async fn revoke_within(
    change: &DatabaseTransaction,
    id: Uuid,
    at: OffsetDateTime,
    actor: Actor,
) -> Result<Revocation, Error> {
    let locked = vpn_denial::Entity::find_by_id(id).lock_exclusive().one(change).await?;
    let Some(denial) = locked else {
        return Ok(Revocation::UnknownDenial);
    };
    if denial.revoked_at.is_some() || denial.deny_until <= at {
        return Ok(Revocation::NotInForce);
    }
    let mut denial = denial.into_active_model();
    denial.revoked_at = Set(Some(at));
    denial.revoked_by = Set(actor.portal_user_id);
    denial.revoked_by_name = Set(Some(actor.name.clone()));
    denial.update(change).await?;
    let row = select()
        .filter(Column::Id.eq(id))
        .into_model::<DenialRow>()
        .one(change)
        .await?;
    let row = row.ok_or_else(|| Error::Corrupt(format!("denial {id} has no VPN user or server")))?;
    audit::append(change, &actor, entry(&row)).await?;
    Ok(Revocation::Revoked(Box::new(row)))
}

fn entry(row: &DenialRow) -> Entry {
    Entry {
        action: Action::Revoke,
        object_type: "vpn_denial",
        object_id: Some(row.denial.id.to_string()),
        details: json!({
            "common_name": row.common_name,
            "server_instance": row.server_instance,
            "reason": row.denial.reason,
            "deny_until": domain::time_format::format_millis(row.denial.deny_until),
        }),
    }
}

fn select() -> Select<vpn_denial::Entity> {
    vpn_denial::Entity::find()
        .join(JoinType::InnerJoin, vpn_denial::Relation::Server.def())
        .join(JoinType::InnerJoin, vpn_denial::Relation::VpnUser.def())
        .expr_as(
            Expr::col((vpn_user::Entity, vpn_user::Column::CommonName)),
            "common_name",
        )
        .expr_as(
            Expr::col((vpn_server::Entity, vpn_server::Column::Name)),
            "server_instance",
        )
}
