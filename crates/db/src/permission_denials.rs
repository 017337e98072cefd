//! Refusals for want of a role, as the audit log keeps them.

use serde_json::json;

use crate::audit::{self, Action, Actor, Entry};
use crate::{Db, Error};

/// Records that `actor` was refused this route (`GET /api/audit-logs`) that many times.
pub async fn record(db: &Db, actor: Actor, route: String, count: u32) -> Result<(), Error> {
    let entry = Entry {
        action: Action::PermissionDenied,
        object_type: "route",
        object_id: Some(route),
        details: json!({"count": count}),
    };
    audit::record(db, actor, entry).await
}
