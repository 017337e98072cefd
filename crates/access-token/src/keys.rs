//! The verifying keys, fetched when needed and kept.

use std::collections::HashMap;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jsonwebtoken::DecodingKey;
use tokio::sync::Mutex;

use crate::jwks::PublicKey;
use crate::refusal::Refusal;

/// A token with an invented `kid` must not cost a query each.
const REFETCH_AFTER: Duration = Duration::from_secs(1);
/// A retired key is forgotten after this.
const FRESH_FOR: Duration = Duration::from_secs(60);

type Fetch = Box<dyn Fn() -> BoxFuture<'static, Result<Vec<PublicKey>, String>> + Send + Sync>;

/// The keys known now, and where to get them.
pub(crate) struct Keys {
    fetch: Fetch,
    known: RwLock<Known>,
    /// Held while fetching, so that many requests cause one fetch.
    last_fetch: Mutex<Option<LastFetch>>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    since: Option<Instant>,
}

struct LastFetch {
    at: Instant,
    failure: Option<String>,
}

impl Keys {
    pub(crate) fn new(fetch: Fetch) -> Self {
        Self {
            fetch,
            known: RwLock::default(),
            last_fetch: Mutex::new(None),
        }
    }

    /// The key of this name; `None` if there is none.
    ///
    /// # Errors
    /// [`Refusal::KeysUnavailable`] when it is unknown here and cannot be asked for.
    pub(crate) async fn get(&self, kid: &str) -> Result<Option<DecodingKey>, Refusal> {
        let (key, fresh) = self.look_up(kid);
        if key.is_some() && fresh {
            return Ok(key);
        }
        let failure = self.refetch(kid).await;
        match (self.look_up(kid).0, failure) {
            (Some(key), _) => Ok(Some(key)),
            (None, None) => Ok(None),
            (None, Some(failure)) => Err(Refusal::KeysUnavailable(failure)),
        }
    }

    fn look_up(&self, kid: &str) -> (Option<DecodingKey>, bool) {
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let fresh = known.since.is_some_and(|since| since.elapsed() < FRESH_FOR);
        (known.keys.get(kid).cloned(), fresh)
    }

    /// Fetches, unless somebody just did; gives the failure of the last fetch.
    async fn refetch(&self, kid: &str) -> Option<String> {
        let mut last = self.last_fetch.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.at.elapsed() < REFETCH_AFTER) {
            return last.failure.clone();
        }
        let failure = match (self.fetch)().await {
            Ok(keys) => {
                self.remember(keys);
                None
            }
            Err(failure) => {
                tracing::warn!(kid, failure, "the keys that verify tokens could not be fetched");
                Some(failure)
            }
        };
        *last = Some(LastFetch {
            at: Instant::now(),
            failure: failure.clone(),
        });
        failure
    }

    fn remember(&self, keys: Vec<PublicKey>) {
        let keys = keys
            .into_iter()
            .map(|key| (key.kid, DecodingKey::from_ed_der(&key.public_key)))
            .collect();
        let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *known = Known {
            keys,
            since: Some(Instant::now()),
        };
    }
}
