//! There is always somebody who may do everything.

use domain::role::Role;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};

use crate::Error;
use crate::entities::{portal_user, portal_user_role};

/// Makes the changes that could leave no admin wait for one another, until the transaction ends: of two admins who demote
/// each other at once the second sees what the first has done. To be taken before any row is locked.
pub(super) async fn lock(change: &DatabaseTransaction) -> Result<(), Error> {
    change
        .execute_unprepared("SELECT pg_advisory_xact_lock(hashtext('portal_user admins'))")
        .await?;
    Ok(())
}

/// Whether anybody who may log in is an admin.
pub(super) async fn exist(connection: &impl ConnectionTrait) -> Result<bool, Error> {
    exist_beside(connection, None).await
}

/// Whether anybody else who may log in is an admin.
pub(super) async fn others_exist(connection: &impl ConnectionTrait, portal_user_id: i64) -> Result<bool, Error> {
    exist_beside(connection, Some(portal_user_id)).await
}

async fn exist_beside(connection: &impl ConnectionTrait, portal_user_id: Option<i64>) -> Result<bool, Error> {
    let mut admins = portal_user_role::Entity::find()
        .inner_join(portal_user::Entity)
        .filter(portal_user_role::Column::PortalRoleId.eq(Role::Admin.id()))
        .filter(portal_user::Column::IsActive.eq(true));
    if let Some(id) = portal_user_id {
        admins = admins.filter(portal_user::Column::Id.ne(id));
    }
    Ok(admins.count(connection).await? > 0)
}
