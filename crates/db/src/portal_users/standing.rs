use domain::required_action::RequiredAction;
use domain::role::Role;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::PortalUser;
use super::accounts::role;
use crate::entities::{portal_role, portal_user as table, portal_user_role};
use crate::{Db, Error};

/// What an access token for a portal user may say now.
#[derive(Debug, Clone)]
pub struct Standing {
    pub user: PortalUser,
    /// In the order of their ids.
    pub roles: Vec<Role>,
    /// What the user must do before these roles count.
    pub required_action: Option<RequiredAction>,
}

/// How a portal user stands; `None` for one who is unknown or deleted.
pub async fn standing(db: &Db, portal_user_id: i64) -> Result<Option<Standing>, Error> {
    // The user first: a change of the roles in between has raised the version that a token made of this would carry.
    let user = table::Entity::find_by_id(portal_user_id)
        .filter(table::Column::DeletedAt.is_null())
        .one(&db.connection)
        .await?;
    let Some(user) = user else { return Ok(None) };
    let held = portal_user_role::Entity::find()
        .find_also_related(portal_role::Entity)
        .filter(portal_user_role::Column::PortalUserId.eq(portal_user_id))
        .order_by_asc(portal_user_role::Column::PortalRoleId)
        .all(&db.connection)
        .await?;
    let totp_required = held
        .iter()
        .any(|(_, role)| role.as_ref().is_some_and(|role| role.requires_totp));
    let roles = held.iter().map(|(held, _)| role(held.portal_role_id));
    let user = PortalUser::from(user);
    Ok(Some(Standing {
        roles: roles.collect::<Result<_, _>>()?,
        required_action: RequiredAction::due(user.must_change_password, totp_required, user.totp_enabled),
        user,
    }))
}
