//! What was done.

/// The action of an audit entry. Its name is what the table, the API and exports say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
    Revoke,
    Approve,
    Login,
    LoginFailed,
    Logout,
    /// Every portal session of one portal user was ended.
    LogoutAll,
    Lockout,
    Unlock,
    Export,
    Terminate,
    ResetPassword,
    ChangePassword,
    MfaEnable,
    MfaDisable,
    RecoveryCodeUsed,
    /// Refused for want of a role; sampled, with the count in the details.
    PermissionDenied,
    /// A refresh token came back after it had been rotated: its family was ended.
    RefreshReused,
}

impl Action {
    /// Every action, as the table's CHECK lists them.
    pub const ALL: [Self; 20] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Revoke,
        Self::Approve,
        Self::Login,
        Self::LoginFailed,
        Self::Logout,
        Self::LogoutAll,
        Self::Lockout,
        Self::Unlock,
        Self::Export,
        Self::Terminate,
        Self::ResetPassword,
        Self::ChangePassword,
        Self::MfaEnable,
        Self::MfaDisable,
        Self::RecoveryCodeUsed,
        Self::PermissionDenied,
        Self::RefreshReused,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Revoke => "revoke",
            Self::Approve => "approve",
            Self::Login => "login",
            Self::LoginFailed => "login_failed",
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::Lockout => "lockout",
            Self::Unlock => "unlock",
            Self::Export => "export",
            Self::Terminate => "terminate",
            Self::ResetPassword => "reset_password",
            Self::ChangePassword => "change_password",
            Self::MfaEnable => "mfa_enable",
            Self::MfaDisable => "mfa_disable",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::PermissionDenied => "permission_denied",
            Self::RefreshReused => "refresh_reused",
        }
    }
}
