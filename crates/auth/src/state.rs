//! What the handlers share.

use std::net::IpAddr;

use bus::Bus;
use db::audit::Actor;
use db::login_attempts::LockoutRules;
use db::{Db, portal_sessions};
use domain::revocation::Revocation;
use service_kit::rate_limit::RateLimit;
use service_kit::{Problem, clock};
use uuid::Uuid;

use crate::config::SessionConfig;
use crate::current_password::PasswordTries;
use crate::error::Failure;
use crate::hashing::Hasher;
use crate::revocations::Revocations;
use crate::tokens::Tokens;
use crate::totp::SecretsKey;

pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) hasher: Hasher,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: SessionConfig,
    pub(crate) lockout: LockoutRules,
    /// Logins, refreshes and logouts by source.
    pub(crate) sources: RateLimit<IpAddr>,
    pub(crate) revocations: Revocations,
    pub(crate) secrets: SecretsKey,
    pub(crate) password_tries: PasswordTries,
}

impl State {
    /// Refuses the access tokens of a portal user below this version everywhere. Call it after the change is committed.
    pub(crate) async fn deny_user(&self, id: i64, token_version: i32) {
        self.deny(Revocation::PortalUser { id, token_version }).await;
    }

    /// Refuses the access tokens of a portal session everywhere. Call it after the change is committed.
    pub(crate) async fn deny_session(&self, id: Uuid) {
        self.deny(Revocation::PortalSession(id)).await;
    }

    /// Ends every portal session of this portal user, and refuses their access tokens within a second. `false`: there is no such user.
    pub(crate) async fn sign_out_everywhere(&self, id: i64, actor: Actor) -> Result<bool, Problem> {
        let ended = portal_sessions::end_everywhere(&self.db, id, clock::now(), actor).await;
        let Some(token_version) = ended.map_err(Failure::from)? else {
            return Ok(false);
        };
        let revocation = Revocation::PortalUser { id, token_version };
        self.revocations.announce(revocation).await?;
        Ok(true)
    }

    /// What could be told nobody now is told when Redis is back; the guard has asked Redis a moment ago.
    pub(crate) async fn deny(&self, revocation: Revocation) {
        if let Err(error) = self.revocations.announce(revocation).await {
            tracing::error!(%error, ?revocation, "revoked access tokens are good until Redis is back");
        }
    }
}
