//! API keys by key id: from a bounded local cache, else from the database, asked once for each key at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use db::Db;
use db::api_keys::{self, ApiKey};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::Limits;

/// Questions to the database at once, so that floods of unknown keys do not take its connections.
const LOOKUPS: usize = 4;
/// How long one question may take before the database counts as away.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a key that is stale but known waits for the database.
const REFRESH_TIMEOUT: Duration = Duration::from_millis(500);
/// How long nobody asks a database that did not answer about keys that are known.
const DATABASE_REST: Duration = Duration::from_secs(5);
/// How long an unknown key stays unknown. Short: it may be created meanwhile.
const UNKNOWN_FRESH: Duration = Duration::from_secs(5);

/// The public part of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId([u8; 12]);

impl KeyId {
    /// 12 characters of `a-z0-9`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 12] = text.as_bytes().try_into().ok()?;
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.iter().all(allowed).then_some(Self(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked to be ASCII")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// No such key, or it is revoked, or its server is retired.
    Unknown,
    /// The database does not answer, and the cache does not know.
    Unavailable,
}

type Answer = Result<Arc<ApiKey>, LookupError>;
type Lookup = Shared<BoxFuture<'static, Answer>>;

#[derive(Clone)]
pub(crate) struct KeyCache(Arc<Inner>);

struct Inner {
    db: Db,
    /// Where questions run: never cancelled with a request.
    runtime: Handle,
    lookups: Semaphore,
    fresh: Duration,
    stale: Duration,
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    known: HashMap<KeyId, Known>,
    unknown: HashMap<KeyId, Instant>,
    asked: HashMap<KeyId, Lookup>,
    /// Counts revocations and clearings: an answer from before one is not kept.
    generation: u64,
    database_rests_until: Option<Instant>,
}

struct Known {
    key: Arc<ApiKey>,
    since: Instant,
}

/// What the cache says on its own.
enum Cached {
    Answer(Answer),
    /// Ask; without an answer this one may be used, if there is one.
    Ask(Lookup, Option<Arc<ApiKey>>),
}

impl KeyCache {
    /// Must be made inside a runtime that outlives the requests.
    pub(crate) fn new(db: Db, limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            db,
            runtime: Handle::current(),
            lookups: Semaphore::new(LOOKUPS),
            fresh: limits.key_fresh(),
            stale: limits.key_stale(),
            capacity: limits.ingest_key_cache_entries,
            entries: Mutex::default(),
        }))
    }

    /// A key that is valid now, as far as the cache, the database and the announced revocations tell.
    pub(crate) async fn find(&self, id: KeyId) -> Answer {
        let (lookup, stale) = match self.cached(id, Instant::now()) {
            Cached::Answer(answer) => return answer,
            Cached::Ask(lookup, stale) => (lookup, stale),
        };
        let Some(stale) = stale else { return lookup.await };
        match timeout(REFRESH_TIMEOUT, lookup).await {
            Ok(Ok(key)) => Ok(key),
            Ok(Err(LookupError::Unknown)) => Err(LookupError::Unknown),
            Ok(Err(LookupError::Unavailable)) | Err(_) => {
                self.0.entries().database_rests_until = Some(Instant::now() + DATABASE_REST);
                Ok(stale)
            }
        }
    }

    /// The key is no longer valid, whatever the database says meanwhile.
    pub(crate) fn revoke(&self, id: KeyId) {
        let mut entries = self.0.entries();
        entries.generation += 1;
        entries.known.remove(&id);
        entries.asked.remove(&id);
        entries.keep_unknown(id, Instant::now(), self.0.capacity);
    }

    /// Forgets everything: revocations may have been missed.
    pub(crate) fn clear(&self) {
        let mut entries = self.0.entries();
        let generation = entries.generation + 1;
        *entries = Entries {
            generation,
            ..Entries::default()
        };
    }

    fn cached(&self, id: KeyId, now: Instant) -> Cached {
        let mut entries = self.0.entries();
        let mut stale = None;
        if let Some(known) = entries.known.get(&id) {
            let age = now.duration_since(known.since);
            let rests = entries.database_rests_until.is_some_and(|until| now < until);
            if age <= self.0.fresh || (rests && age <= self.0.stale) {
                return Cached::Answer(Ok(Arc::clone(&known.key)));
            }
            stale = (age <= self.0.stale).then(|| Arc::clone(&known.key));
        }
        if let Some(since) = entries.unknown.get(&id)
            && now.duration_since(*since) <= UNKNOWN_FRESH
        {
            return Cached::Answer(Err(LookupError::Unknown));
        }
        let lookup = entries.asked.entry(id).or_insert_with(|| self.ask(id)).clone();
        Cached::Ask(lookup, stale)
    }

    fn ask(&self, id: KeyId) -> Lookup {
        let (cache, after) = (self.clone(), self.clone());
        let task = self.0.runtime.spawn(async move { cache.look_up(id).await });
        let answer = task.map(move |joined| {
            joined.unwrap_or_else(|_| {
                after.0.entries().asked.remove(&id);
                Err(LookupError::Unavailable)
            })
        });
        answer.boxed().shared()
    }

    async fn look_up(&self, id: KeyId) -> Answer {
        loop {
            let generation = self.0.entries().generation;
            let answer = self.ask_database(id).await;
            let mut entries = self.0.entries();
            if entries.generation == generation {
                entries.keep(id, &answer, Instant::now(), self.0.capacity);
                return answer;
            }
            // A revocation came in between; the answer may be from before it.
        }
    }

    async fn ask_database(&self, id: KeyId) -> Answer {
        let asked = timeout(LOOKUP_TIMEOUT, async {
            let _turn = self.0.lookups.acquire().await;
            api_keys::find(&self.0.db, id.as_str()).await
        });
        match asked.await {
            Ok(Ok(Some(key))) if key.revoked_at.is_none() && !key.server_retired => Ok(Arc::new(key)),
            Ok(Ok(_)) => Err(LookupError::Unknown),
            Ok(Err(error)) => {
                tracing::warn!(%error, key_id = id.as_str(), "an API key cannot be looked up");
                Err(LookupError::Unavailable)
            }
            Err(_) => {
                tracing::warn!(
                    key_id = id.as_str(),
                    "the database takes too long to look an API key up"
                );
                Err(LookupError::Unavailable)
            }
        }
    }
}

impl Inner {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn keep(&mut self, id: KeyId, answer: &Answer, now: Instant, capacity: usize) {
        self.asked.remove(&id);
        match answer {
            Ok(key) => {
                self.database_rests_until = None;
                if self.known.len() >= capacity
                    && let Some(other) = self.known.keys().next().copied()
                {
                    self.known.remove(&other);
                }
                self.known.insert(
                    id,
                    Known {
                        key: Arc::clone(key),
                        since: now,
                    },
                );
            }
            Err(LookupError::Unknown) => {
                self.database_rests_until = None;
                self.known.remove(&id);
                self.keep_unknown(id, now, capacity);
            }
            Err(LookupError::Unavailable) => {}
        }
    }

    fn keep_unknown(&mut self, id: KeyId, now: Instant, capacity: usize) {
        if self.unknown.len() >= capacity {
            self.unknown.clear();
        }
        self.unknown.insert(id, now);
    }
}
