//! A portal user as answers show it.

use db::portal_users::Account;
use domain::time_format;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::me::RoleView;

/// A portal user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortalUser)]
pub(crate) struct AccountView {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) email: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) roles: Vec<RoleView>,
    /// A second factor is in force.
    pub(crate) totp_enabled: bool,
    /// Somebody else has set the password.
    pub(crate) must_change_password: bool,
    #[serde(serialize_with = "time_format::optional_millis")]
    pub(crate) password_changed_at: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::optional_millis")]
    pub(crate) last_portal_login_at: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::millis")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    pub(crate) updated_at: OffsetDateTime,
    /// Goes up with each edit; send it back with the next one.
    pub(crate) version: i32,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            username: account.username,
            email: account.email,
            is_active: account.is_active,
            roles: account.roles.into_iter().map(RoleView::from).collect(),
            totp_enabled: account.totp_enabled,
            must_change_password: account.must_change_password,
            password_changed_at: account.password_changed_at,
            last_portal_login_at: account.last_portal_login_at,
            created_at: account.created_at,
            updated_at: account.updated_at,
            version: account.version,
        }
    }
}
