//! Removes what nobody needs any more: sessions long over, old login attempts.

use std::time::Duration;

use db::{Db, login_attempts, portal_sessions};
use service_kit::{Shutdown, clock};

use crate::config::SessionConfig;

const EVERY: Duration = Duration::from_secs(3_600);
/// A session that is over is needed for a day, to fill the denylist from; longer for those who look into what happened.
const SESSIONS_FOR: time::Duration = time::Duration::days(30);

pub(crate) async fn run(db: Db, config: SessionConfig, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            _ = ticks.tick() => {}
        }
        match remove(&db, &config).await {
            Ok((0, 0)) => {}
            Ok((sessions, attempts)) => {
                tracing::info!(sessions, attempts, "old portal sessions and login attempts are removed");
            }
            Err(error) => tracing::warn!(%error, "old portal sessions and login attempts could not be removed"),
        }
    }
}

async fn remove(db: &Db, config: &SessionConfig) -> Result<(u64, u64), db::Error> {
    let now = clock::now();
    let sessions = portal_sessions::remove_expired(db, now - SESSIONS_FOR).await?;
    let attempts = login_attempts::remove_old(db, now - config.login_history()).await?;
    Ok((sessions, attempts))
}
