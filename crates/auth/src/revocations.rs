//! Takes access tokens back everywhere: Redis holds the denylist, the bus makes it fast, PostgreSQL can fill it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access_token::Denylist;
use actix_web::http::StatusCode;
use anyhow::Context;
use bus::Bus;
use db::{Db, portal_sessions};
use domain::revocation::Revocation;
use service_kit::{Problem, Shutdown, clock};
use tokio::time::Instant;

/// How often it is asked whether Redis has lost the list.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the list is filled anew in any case.
const FILL_EVERY: Duration = Duration::from_secs(300);

/// Tells every service what is revoked. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Revocations {
    denylist: Denylist,
    bus: Bus,
    /// Redis may lack something.
    incomplete: Arc<AtomicBool>,
}

/// Nobody could be told.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("neither Redis nor NATS took the revocation")]
pub(crate) struct Untold;

impl Revocations {
    pub(crate) fn new(denylist: Denylist, bus: Bus) -> Self {
        Self {
            denylist,
            bus,
            incomplete: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Tells it over Redis and the bus; one of them is enough. With Redis away nothing can be changed anywhere, and the bus
    /// stops what only reads. What Redis did not take it gets when it is back. Call it after the change is committed.
    ///
    /// # Errors
    /// [`Untold`] when there was neither.
    pub(crate) async fn announce(&self, revocation: Revocation) -> Result<(), Untold> {
        let (denied, told) = tokio::join!(
            self.denylist.deny(revocation),
            self.bus.publish_access_revoked(revocation)
        );
        if let Err(error) = &denied {
            self.incomplete.store(true, Ordering::Release);
            tracing::warn!(%error, ?revocation, "Redis did not take a revocation; it will be filled anew");
        }
        if let Err(error) = &told {
            tracing::warn!(%error, ?revocation, "NATS did not take a revocation; services find it in Redis");
        }
        if denied.is_err() && told.is_err() {
            return Err(Untold);
        }
        Ok(())
    }

    /// Fills Redis from PostgreSQL whenever it may lack something, until shutdown.
    pub(crate) async fn keep_filled(self, db: Db, shutdown: Shutdown) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        let mut filled_at = Instant::now();
        loop {
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                _ = ticks.tick() => {}
            }
            let due = self.incomplete.load(Ordering::Acquire) || filled_at.elapsed() > FILL_EVERY;
            // Without an answer there is nothing to fill: the denylist itself tells that Redis is away.
            if !due && self.denylist.is_filled().await.unwrap_or(true) {
                continue;
            }
            match self.fill(&db).await {
                Ok(()) => filled_at = Instant::now(),
                Err(error) => tracing::debug!(error = format!("{error:#}"), "the denylist could not be filled"),
            }
        }
    }

    /// Fills Redis from PostgreSQL.
    ///
    /// # Errors
    /// When either is away.
    pub(crate) async fn fill(&self, db: &Db) -> anyhow::Result<()> {
        // What is announced from here on and not taken makes it incomplete again.
        self.incomplete.store(false, Ordering::Release);
        let filled = self.fill_from(db).await;
        if filled.is_err() {
            self.incomplete.store(true, Ordering::Release);
        }
        filled
    }

    async fn fill_from(&self, db: &Db) -> anyhow::Result<()> {
        let since = Denylist::oldest_relevant(clock::now());
        let revocations = portal_sessions::revocations_since(db, since).await?;
        self.denylist.fill(&revocations).await.context("Redis")?;
        tracing::info!(
            revocations = revocations.len(),
            "the denylist was filled from the database"
        );
        Ok(())
    }
}

impl From<Untold> for Problem {
    fn from(untold: Untold) -> Self {
        let detail =
            "It is done, but not every service could be told yet: access tokens may be good for a while. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "denylist_unavailable", detail)
            .retry_after(1)
            .caused_by(untold)
    }
}
