//! What takes access tokens back before they expire.

use uuid::Uuid;

/// Tokens that are no longer valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// Those of this portal session.
    PortalSession(Uuid),
    /// Those of this portal user that carry an older token version.
    PortalUser {
        /// Id of the portal user.
        id: i64,
        /// The version from which on tokens are valid.
        token_version: i32,
    },
}
