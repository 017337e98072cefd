//! Asks for the password once more before something that an unattended browser must not do.

use std::num::NonZeroU32;
use std::time::Duration;

use access_token::Caller;
use actix_web::http::StatusCode;
use audit_actor::Origin;
use db::audit::{self, Action, Entry};
use db::portal_users;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde_json::json;
use service_kit::Problem;

use crate::State;
use crate::error::{Failure, not_found};
use crate::password::Password;

/// A stolen access token lives for an hour: too short to find out the password at this pace.
const TRIES: NonZeroU32 = NonZeroU32::new(10).expect("it is not zero");
const ONE_MORE_EVERY: Duration = Duration::from_secs(60);

/// How often each portal user may type the password again, in this process.
pub(crate) struct PasswordTries(DefaultKeyedRateLimiter<i64>);

impl Default for PasswordTries {
    fn default() -> Self {
        let quota = Quota::with_period(ONE_MORE_EVERY).expect("the period is not zero");
        Self(RateLimiter::keyed(quota.allow_burst(TRIES)))
    }
}

impl PasswordTries {
    fn take(&self, portal_user_id: i64) -> Result<(), Problem> {
        self.0.check_key(&portal_user_id).map_err(|until| {
            let seconds = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            let detail = "The password was asked for too often; try again later.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail).retry_after(seconds)
        })?;
        // Those who have their full allowance need no entry.
        self.0.retain_recent();
        Ok(())
    }
}

/// The caller's password, proved to be known.
pub(crate) struct CurrentPassword {
    /// PHC string of it, as it is stored.
    pub(crate) hash: String,
}

impl CurrentPassword {
    /// # Errors
    /// 403 `wrong_password`, which is audited; 429 after too many.
    pub(crate) async fn check(
        state: &State,
        caller: &Caller,
        origin: &Origin,
        typed: Password,
    ) -> Result<Self, Problem> {
        state.password_tries.take(caller.portal_user_id)?;
        let standing = portal_users::standing(&state.db, caller.portal_user_id).await;
        let standing = standing.map_err(Failure::from)?.ok_or_else(|| not_found("account"))?;
        let hash = standing.user.password_hash;
        let matches = match typed.is_too_long() {
            true => false,
            false => {
                let verified = state.hasher.verify(typed, Some(hash.clone())).await;
                verified.map_err(Failure::from)?
            }
        };
        if !matches {
            record_wrong(state, caller, origin).await?;
            return Err(wrong_password());
        }
        Ok(Self { hash })
    }
}

async fn record_wrong(state: &State, caller: &Caller, origin: &Origin) -> Result<(), Failure> {
    let entry = Entry {
        action: Action::LoginFailed,
        object_type: "portal_user",
        object_id: Some(caller.portal_user_id.to_string()),
        details: json!({"reason": "wrong_current_password"}),
    };
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    Ok(audit::record(&state.db, actor, entry).await?)
}

pub(crate) fn wrong_password() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "wrong_password",
        "The current password is another one.",
    )
}
