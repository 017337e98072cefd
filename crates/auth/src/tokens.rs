//! Issues access tokens.

use access_token::{Claims, Signer, SignerError};
use db::portal_users::PortalUser;
use domain::role::Role;
use service_kit::clock;
use time::OffsetDateTime;

use crate::config::TokenConfig;

#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) signer: Signer,
    pub(crate) config: TokenConfig,
}

impl Tokens {
    /// How long a token lives.
    pub(crate) fn seconds(&self) -> u32 {
        self.config.access_token_seconds
    }

    /// A token that says who `user` is from `now` on.
    pub(crate) fn issue(
        &self,
        user: &PortalUser,
        roles: Vec<Role>,
        now: OffsetDateTime,
    ) -> Result<String, SignerError> {
        let issued_at = now.unix_timestamp();
        self.signer.sign(&Claims {
            iss: self.config.token_issuer.clone(),
            aud: self.config.token_audience.clone(),
            sub: user.id.to_string(),
            username: user.username.clone(),
            roles,
            token_version: user.token_version,
            jti: clock::new_id(),
            iat: issued_at,
            exp: issued_at + i64::from(self.seconds()),
        })
    }
}
