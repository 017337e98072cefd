//! Issues access tokens.

use access_token::{Claims, Signer, SignerError};
use db::portal_users::Standing;
use service_kit::clock;
use time::OffsetDateTime;
use uuid::Uuid;

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

    /// A token of this session from `now` on. It carries the token version of a moment when the session lived, not a later one:
    /// should the session have ended since, the token is as worthless.
    pub(crate) fn issue(
        &self,
        standing: &Standing,
        session_id: Uuid,
        token_version: i32,
        now: OffsetDateTime,
    ) -> Result<String, SignerError> {
        let issued_at = now.unix_timestamp();
        let roles = match standing.required_action {
            Some(_) => Vec::new(),
            None => standing.roles.clone(),
        };
        self.signer.sign(&Claims {
            iss: self.config.token_issuer.clone(),
            aud: self.config.token_audience.clone(),
            sub: standing.user.id.to_string(),
            username: standing.user.username.clone(),
            roles,
            sid: session_id,
            token_version,
            required_action: standing.required_action,
            jti: clock::new_id(),
            iat: issued_at,
            exp: issued_at + i64::from(self.seconds()),
        })
    }
}
