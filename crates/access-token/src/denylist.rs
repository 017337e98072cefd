//! Access tokens that were taken back before they expire.
//!
//! Redis holds the list, PostgreSQL the truth that it is filled from. Each process keeps a copy: what is told over the bus
//! enters it at once, and a few times a second it is compared with Redis, so that it is right without the bus as well.

mod local;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::revocation::Revocation;
use futures_util::{Stream, StreamExt};
use service_kit::{Service, Shutdown, clock};
use thiserror::Error;
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

use crate::caller::Caller;
use crate::config::AccessConfig;
use local::Local;
use store::{Cursor, Store};

/// How often the copy is compared with Redis; a revocation that the bus lost acts after at most two of these.
const COMPARE_EVERY: Duration = Duration::from_millis(250);
/// No access token lives longer than a day (`ACCESS_TOKEN_SECONDS`), so neither does an entry, but for clocks that differ.
pub(crate) const ENTRY_LIFE: time::Duration = time::Duration::seconds(86_400 + 60);

/// The list cannot be asked.
#[derive(Debug, Error)]
pub enum DenylistUnavailable {
    /// Redis does not answer.
    #[error("Redis does not answer")]
    Redis(#[from] redis::RedisError),
    /// Redis has lost its memory; auth fills it again.
    #[error("Redis has lost the list of revoked tokens")]
    Emptied,
    /// The process is shutting down.
    #[error("the process is shutting down")]
    Stopping,
}

/// The denylist as one process sees it. Cheap to clone; clones share the copy.
#[derive(Clone)]
pub struct Denylist(Arc<Inner>);

struct Inner {
    store: Store,
    local: Local,
    /// The copy has been complete at least once.
    loaded: AtomicBool,
    cursor: Mutex<Cursor>,
    changes: watch::Sender<u64>,
    /// The connection lives on this runtime, whatever HTTP thread asks.
    runtime: Handle,
}

impl Denylist {
    /// Prepares the connection; Redis may come later. Call it on the runtime that lives as long as the process.
    ///
    /// # Errors
    /// When `REDIS_URL` cannot be used.
    pub fn connect(config: &AccessConfig) -> Result<Self, redis::RedisError> {
        Ok(Self(Arc::new(Inner {
            store: Store::connect(&config.redis_url, &config.redis_prefix)?,
            local: Local::default(),
            loaded: AtomicBool::new(false),
            cursor: Mutex::default(),
            changes: watch::Sender::new(0),
            runtime: Handle::current(),
        })))
    }

    /// Whether this token is revoked, as far as this process knows. Before [`Denylist::is_loaded`] it knows too little.
    pub fn is_denied(&self, caller: &Caller) -> bool {
        self.0.local.denies(caller)
    }

    /// Whether the copy has been complete once.
    pub fn is_loaded(&self) -> bool {
        self.0.loaded.load(Ordering::Acquire)
    }

    /// Whether this token is revoked, by asking Redis itself.
    ///
    /// # Errors
    /// [`DenylistUnavailable`]: refuse then.
    pub async fn check(&self, caller: &Caller) -> Result<bool, DenylistUnavailable> {
        if self.is_denied(caller) {
            return Ok(true);
        }
        let (inner, caller) = (Arc::clone(&self.0), caller.clone());
        let asked = async move { inner.store.denies(&caller).await };
        self.0
            .runtime
            .spawn(asked)
            .await
            .map_err(|_| DenylistUnavailable::Stopping)?
    }

    /// Enters a revocation into the copy of this process.
    pub fn apply(&self, revocation: Revocation) {
        if self.0.local.add(revocation, clock::now()) {
            self.0.changes.send_modify(|count| *count += 1);
        }
    }

    /// Changes whenever a revocation has entered the copy.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Adds to a service what keeps its copy right: the workers that hear of revocations and compare with Redis, and the
    /// check that it has been complete once. Redis and the bus may go away after that.
    pub fn attach(
        &self,
        service: Service,
        revocations: impl Stream<Item = Revocation> + Send + Unpin + 'static,
    ) -> Service {
        let (check, follow, reconcile) = (self.clone(), self.clone(), self.clone());
        service
            .check("denylist", move || {
                let loaded = check.is_loaded();
                let answer = if loaded {
                    Ok(())
                } else {
                    Err("it has not been read yet".to_owned())
                };
                std::future::ready(answer)
            })
            .worker("revocations", |shutdown| follow.follow(revocations, shutdown))
            .worker("denylist", |shutdown| reconcile.reconcile(shutdown))
    }

    /// Enters what arrives over the bus, until shutdown.
    ///
    /// # Errors
    /// When the stream ends.
    pub async fn follow(
        self,
        mut revocations: impl Stream<Item = Revocation> + Unpin,
        shutdown: Shutdown,
    ) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                revocation = revocations.next() => match revocation {
                    Some(revocation) => self.apply(revocation),
                    None => anyhow::bail!("the subscription to revoked access has ended"),
                },
            }
        }
    }

    /// Keeps the copy equal to what Redis holds, until shutdown.
    ///
    /// # Errors
    /// Never: Redis may be away.
    pub async fn reconcile(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(COMPARE_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut was_good = true;
        loop {
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                _ = ticks.tick() => {}
            }
            match self.refresh().await {
                Ok(()) if !was_good => tracing::info!("the denylist can be read again"),
                Err(error) if was_good => tracing::warn!(
                    error = format!("{:#}", anyhow::Error::new(error)),
                    "the denylist cannot be read; reads go on with the copy, changes are refused"
                ),
                Ok(()) | Err(_) => continue,
            }
            was_good = !was_good;
        }
    }

    /// Reads what is new in Redis into the copy.
    ///
    /// # Errors
    /// [`DenylistUnavailable`]; the copy stays as it is.
    pub async fn refresh(&self) -> Result<(), DenylistUnavailable> {
        let mut cursor = self.0.cursor.lock().await;
        for revocation in self.0.store.read(&mut cursor).await? {
            self.apply(revocation);
        }
        self.0.local.forget_expired(clock::now());
        self.0.loaded.store(true, Ordering::Release);
        Ok(())
    }

    /// Enters a revocation here and into Redis. For auth, after the change is committed; it tells the bus as well.
    ///
    /// # Errors
    /// [`DenylistUnavailable`]; it is entered when [`Denylist::fill`] has succeeded.
    pub async fn deny(&self, revocation: Revocation) -> Result<(), DenylistUnavailable> {
        self.apply(revocation);
        let inner = Arc::clone(&self.0);
        let denied = async move { inner.store.add(&[revocation], clock::now()).await };
        self.0
            .runtime
            .spawn(denied)
            .await
            .map_err(|_| DenylistUnavailable::Stopping)?
    }

    /// Whether Redis holds the list since it last started.
    ///
    /// # Errors
    /// [`DenylistUnavailable::Redis`].
    pub async fn is_filled(&self) -> Result<bool, DenylistUnavailable> {
        self.0.store.is_filled().await
    }

    /// Fills Redis with everything that is revoked now and says that it is filled. For auth.
    ///
    /// # Errors
    /// [`DenylistUnavailable::Redis`].
    pub async fn fill(&self, revocations: &[Revocation]) -> Result<(), DenylistUnavailable> {
        self.0.store.fill(revocations, clock::now()).await
    }

    /// From when on revocations matter: tokens older than that have expired.
    pub fn oldest_relevant(now: OffsetDateTime) -> OffsetDateTime {
        now - ENTRY_LIFE
    }
}
