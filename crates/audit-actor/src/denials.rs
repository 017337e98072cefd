use access_token::Denial;
use db::audit::Actor;
use db::{Db, permission_denials};

/// What the guard calls when a role is missing: the refusal goes to the audit log. It does not wait.
pub fn recorder(db: Db) -> impl Fn(Denial) + Send + Sync + 'static {
    move |denial| {
        let db = db.clone();
        tokio::spawn(async move {
            let actor = Actor {
                portal_user_id: Some(denial.caller.portal_user_id),
                name: denial.caller.username,
                ip_address: Some(denial.ip_address),
                user_agent: denial.user_agent,
                request_id: denial.request_id,
            };
            let route = format!("{} {}", denial.method, denial.route);
            if let Err(error) = permission_denials::record(&db, actor, route, denial.count).await {
                tracing::warn!(%error, "a permission denial could not be recorded");
            }
        });
    }
}
