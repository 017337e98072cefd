//! The roles of portal users, and who may do what.

use serde::{Deserialize, Serialize};

/// What a portal user is allowed to do; a user can have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, including portal users, VPN servers, API keys and terminations.
    Admin,
    /// Operations: VPN-user metadata, reports and schedules.
    Operator,
    /// Looks at everything that happens, changes nothing.
    Viewer,
    /// What a viewer sees, and the audit log.
    Auditor,
}

/// Dashboard, sessions, VPN users, analytics, servers, and export of what is seen.
pub const ANY_ROLE: &[Role] = &[Role::Admin, Role::Operator, Role::Viewer, Role::Auditor];
/// Terminations, portal users, VPN servers, API keys, dead letters.
pub const ADMIN_ONLY: &[Role] = &[Role::Admin];
/// VPN-user metadata, reports and schedules.
pub const ADMIN_OR_OPERATOR: &[Role] = &[Role::Admin, Role::Operator];
/// The audit log and its export.
pub const ADMIN_OR_AUDITOR: &[Role] = &[Role::Admin, Role::Auditor];
/// The compliance report.
pub const COMPLIANCE_REPORT: &[Role] = &[Role::Admin, Role::Operator, Role::Auditor];

impl Role {
    /// All of them, by id.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Operator, Self::Viewer, Self::Auditor];

    /// Its id in `portal_role`.
    pub const fn id(self) -> i32 {
        match self {
            Self::Admin => 1,
            Self::Operator => 2,
            Self::Viewer => 3,
            Self::Auditor => 4,
        }
    }

    /// The role with this id in `portal_role`.
    pub fn from_id(id: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Its name in the API, in tokens and in `portal_role`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
        }
    }

    /// The role with this exact name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_by_its_name_and_its_id() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert_eq!(Role::from_id(role.id()), Some(role));
            assert_eq!(serde_json::to_value(role).expect("a role is a string"), role.as_str());
        }
    }

    #[test]
    fn unknown_names_and_ids_are_no_role() {
        assert_eq!(Role::parse("Admin"), None);
        assert_eq!(Role::from_id(0), None);
    }
}
