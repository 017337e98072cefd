//! What a token says.

use domain::required_action::RequiredAction;
use domain::role::Role;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The claims of an access token; all but `required_action` are required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: `TOKEN_ISSUER`.
    pub iss: String,
    /// Whom it is for: `TOKEN_AUDIENCE`.
    pub aud: String,
    /// Whom it is about: the portal user's id, in decimal.
    pub sub: String,
    /// The portal user's name.
    pub username: String,
    /// The roles at the time of issue; none while an action is required.
    pub roles: Vec<Role>,
    /// The portal session that it belongs to; it is void when that ends.
    pub sid: Uuid,
    /// The user's token version at the time of issue; a newer one makes the token void.
    pub token_version: i32,
    /// What the user must do before the roles count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_action: Option<RequiredAction>,
    /// Its own id, a UUID.
    pub jti: Uuid,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
}
