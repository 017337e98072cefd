//! Who is on a socket, and until when.

use access_token::{Caller, Claims, Denylist, Refusal, Verifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use service_kit::clock;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::close::Close;

/// Checks tokens.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) verifier: Verifier,
    pub(crate) denylist: Denylist,
}

/// A portal user whose token was good when it came.
pub(crate) struct Access {
    pub(crate) caller: Caller,
    pub(crate) expires_at: OffsetDateTime,
    denylist: Denylist,
    revocations: watch::Receiver<u64>,
}

impl Gate {
    /// Whom a token lets in. Everybody who has any role may see what happens now.
    pub(crate) async fn admit(&self, token: &str) -> Result<Access, Close> {
        // Before anything is asked: what is revoked from here on is noticed.
        let revocations = self.denylist.changes();
        let caller = self.verifier.verify(token, clock::now()).await.map_err(|refusal| {
            tracing::debug!(%refusal, "a token was refused");
            match refusal {
                Refusal::Expired => Close::Expired,
                Refusal::KeysUnavailable(_) => Close::CannotCheck,
                _ => Close::InvalidToken,
            }
        })?;
        let denied = if self.denylist.is_loaded() {
            self.denylist.is_denied(&caller)
        } else {
            self.denylist.check(&caller).await.map_err(|_| Close::CannotCheck)?
        };
        if denied {
            return Err(Close::Revoked);
        }
        if caller.roles.is_empty() {
            return Err(Close::Forbidden);
        }
        let expires_at = expiry(token).ok_or(Close::InvalidToken)?;
        if expires_at <= clock::now() {
            return Err(Close::Expired);
        }
        Ok(Access {
            caller,
            expires_at,
            denylist: self.denylist.clone(),
            revocations,
        })
    }
}

impl Access {
    /// Resolves when the token is good no longer. May be cancelled and called again at any time.
    pub(crate) async fn ended(&mut self) -> Close {
        loop {
            if self.denylist.is_denied(&self.caller) {
                return Close::Revoked;
            }
            let left = self.expires_at - clock::now();
            let Ok(left) = std::time::Duration::try_from(left) else {
                return Close::Expired;
            };
            tokio::select! {
                () = tokio::time::sleep(left) => return Close::Expired,
                changed = self.revocations.changed() => if changed.is_err() {
                    tokio::time::sleep(left).await;
                    return Close::Expired;
                },
            }
        }
    }
}

/// When a token that was verified ends.
fn expiry(token: &str) -> Option<OffsetDateTime> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    OffsetDateTime::from_unix_timestamp(claims.exp).ok()
}
