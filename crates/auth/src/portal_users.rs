//! `/api/portal-users`: who may log in, for admins.

pub(crate) mod create;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod rescue;
pub(crate) mod sign_out;

use access_token::Caller;
use service_kit::Problem;

use crate::error::conflict;

/// Nobody deletes, deactivates, demotes or locks out himself: another admin has to agree, and one is left who can undo it.
fn refuse_self(caller: &Caller, portal_user_id: i64, what: &str) -> Result<(), Problem> {
    if caller.portal_user_id == portal_user_id {
        return Err(conflict("own_account", format!("Nobody can {what} the own account.")));
    }
    Ok(())
}

fn last_admin() -> Problem {
    conflict("last_admin", "Nobody else who may log in is an admin.")
}
