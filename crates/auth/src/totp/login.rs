use db::audit::Actor;
use db::totp;
use time::OffsetDateTime;

use super::code::Codes;
use super::recovery_codes;
use crate::State;
use crate::error::Failure;

/// Whether what was typed is a code of this portal user's second factor, from the app or from the recovery codes. It is used
/// up by that: of several callers with one code one succeeds. False for a user without a second factor.
pub(crate) async fn verify_at_login(
    state: &State,
    portal_user_id: i64,
    typed: &str,
    now: OffsetDateTime,
    actor: Actor,
) -> Result<bool, Failure> {
    if let Some(hash) = recovery_codes::hash(typed) {
        return Ok(totp::use_recovery_code(&state.db, portal_user_id, hash, now, actor).await?);
    }
    let stored = totp::find(&state.db, portal_user_id).await?;
    let Some(stored) = stored.filter(|stored| stored.confirmed) else {
        return Ok(false);
    };
    let secret = state.secrets.open(portal_user_id, &stored.sealed_secret)?;
    let code: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(step) = Codes::new(&secret, &stored.username)?.step_of(&code, now) else {
        return Ok(false);
    };
    Ok(totp::use_step(&state.db, portal_user_id, stored.sealed_secret, step).await?)
}
