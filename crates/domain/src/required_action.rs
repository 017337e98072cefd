//! What a portal user must do before its roles count.

use serde::{Deserialize, Serialize};

/// Until it is done, the user's access tokens carry no roles: they open nothing but the user's own profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredAction {
    /// The password was set by somebody else.
    ChangePassword,
    /// One of the user's roles demands a second factor, and there is none.
    EnrolTotp,
}

impl RequiredAction {
    /// Its name in the API and in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChangePassword => "change_password",
            Self::EnrolTotp => "enrol_totp",
        }
    }

    /// What is due, if anything; the password first, because whoever set it may know it still.
    pub const fn due(must_change_password: bool, totp_required: bool, totp_enabled: bool) -> Option<Self> {
        match (must_change_password, totp_required, totp_enabled) {
            (true, _, _) => Some(Self::ChangePassword),
            (false, true, false) => Some(Self::EnrolTotp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_comes_before_the_second_factor() {
        assert_eq!(
            RequiredAction::due(true, true, false),
            Some(RequiredAction::ChangePassword)
        );
        assert_eq!(RequiredAction::due(false, true, false), Some(RequiredAction::EnrolTotp));
        assert_eq!(RequiredAction::due(false, true, true), None);
        assert_eq!(RequiredAction::due(false, false, false), None);
    }

    #[test]
    fn its_name_is_the_same_everywhere() {
        for action in [RequiredAction::ChangePassword, RequiredAction::EnrolTotp] {
            assert_eq!(serde_json::to_value(action).expect("it is a string"), action.as_str());
        }
    }
}
