//! The live sessions in Redis: a cache that PostgreSQL can fill again at any time.
//!
//! `{prefix}:live:session:{id}` holds `version`, a line break and the session's JSON; `{prefix}:live:active` orders the ids
//! of active sessions by connect time; `{prefix}:live:complete` says that the cache was filled since Redis lost its memory.
//! Whoever writes a lower version than is there has come late and changes nothing, so ended sessions stay for a while. Those
//! that were over when they were first heard of never enter: there is nothing that could come late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use db::apply::ChangeKind;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, RedisResult, Script};
use service_kit::Shutdown;
use uuid::Uuid;

use crate::State;
use crate::config::LiveConfig;
use crate::live_session::{LiveSession, Told};

/// How long an ended session keeps late writers out, seconds.
const ENDED_FOR: u64 = 900;
/// Sessions of one script call: Lua's stack bounds the number of arguments.
const CHUNK: usize = 500;
/// Sessions of one page when the cache is filled from PostgreSQL.
const PAGE: i64 = 1_000;

const UPDATE: &str = r"
for i = 4, #ARGV, 5 do
  local key = ARGV[1] .. ARGV[i]
  local version = tonumber(ARGV[i + 1])
  local known = tonumber(string.match(redis.call('GETRANGE', key, 0, 10), '^%d+'))
  if not known or known < version then
    local value = ARGV[i + 1] .. '\n' .. ARGV[i + 4]
    if ARGV[i + 2] == '1' then
      redis.call('SET', key, value)
      redis.call('ZADD', KEYS[1], ARGV[i + 3], ARGV[i])
    else
      redis.call('SET', key, value, 'EX', ARGV[2])
      redis.call('ZREM', KEYS[1], ARGV[i])
    end
  end
end
return 0";

#[derive(Clone)]
pub(crate) struct LiveCache {
    connection: ConnectionManager,
    prefix: String,
    update: Arc<Script>,
    /// Something could not be written: fill the cache anew.
    stale: Arc<AtomicBool>,
}

impl LiveCache {
    /// Prepares the connection; Redis may come later.
    pub(crate) async fn connect(config: &LiveConfig) -> anyhow::Result<Self> {
        let client = redis::Client::open(config.redis_url.as_str())?;
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(2)))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_lazy_with_config(client, settings)?;
        Ok(Self {
            connection,
            prefix: format!("{}:live:", config.redis_prefix),
            update: Arc::new(Script::new(UPDATE)),
            stale: Arc::new(AtomicBool::new(false)),
        })
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Writes sessions as they are now. When Redis is away, the cache is filled anew once it is back.
    pub(crate) async fn update(&self, sessions: &[Told]) {
        // While the cache waits to be filled anew, single changes are part of what it will be filled with.
        if self.stale.load(Ordering::Acquire) {
            return;
        }
        let of_interest: Vec<&Told> = sessions.iter().filter(|told| !told.was_never_live()).collect();
        for chunk in of_interest.chunks(CHUNK) {
            if let Err(error) = self.write(chunk.iter().copied()).await {
                if !self.stale.swap(true, Ordering::AcqRel) {
                    tracing::warn!(%error, "the live cache cannot be written; it will be filled anew");
                }
                return;
            }
        }
    }

    /// Has the cache filled anew: a batch that came again may have been told in part, and what it withdrew is gone.
    pub(crate) fn distrust(&self) {
        self.stale.store(true, Ordering::Release);
    }

    async fn write(&self, sessions: impl Iterator<Item = &Told>) -> RedisResult<()> {
        let mut call = self.update.prepare_invoke();
        call.key(self.key("active"))
            .arg(self.key("session:"))
            .arg(ENDED_FOR)
            .arg(0);
        for told in sessions {
            let session = &told.session;
            call.arg(session.id.to_string())
                .arg(session.version)
                .arg(u8::from(told.is_live()));
            call.arg(session.score()).arg(told.json.as_str());
        }
        call.invoke_async::<i64>(&mut self.connection.clone()).await.map(drop)
    }

    /// Says that the cache may lack something: the processors fill it anew.
    ///
    /// # Errors
    /// When Redis is away; it is filled anyway once Redis has lost its memory.
    pub(crate) async fn forget_completeness(&self) -> RedisResult<()> {
        self.connection.clone().del(self.key("complete")).await
    }

    /// Whether the cache is as full as it should be.
    async fn is_complete(&self) -> RedisResult<bool> {
        let marked: bool = self.connection.clone().exists(self.key("complete")).await?;
        Ok(marked && !self.stale.load(Ordering::Acquire))
    }

    /// Ids that the cache lists as active.
    async fn listed(&self) -> RedisResult<Vec<String>> {
        self.connection.clone().zrange(self.key("active"), 0, -1).await
    }

    async fn mark_complete(&self) -> RedisResult<()> {
        self.connection.clone().set(self.key("complete"), 1).await
    }
}

/// Fills the cache at start, and again whenever Redis has lost it or a write has failed.
pub(crate) async fn run(state: State, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut first = true;
    while !shutdown.is_requested() {
        let complete = if first {
            Ok(false)
        } else {
            state.live.is_complete().await
        };
        match complete {
            Ok(true) => {}
            Ok(false) => match fill(&state).await {
                Ok(sessions) => {
                    first = false;
                    tracing::info!(sessions, "the live cache was filled from the database");
                }
                Err(error) => tracing::warn!(error = format!("{error:#}"), "the live cache could not be filled"),
            },
            Err(error) => tracing::debug!(%error, "Redis does not answer"),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = shutdown.requested() => {}
        }
    }
    Ok(())
}

/// Writes every open session, then takes out what is listed and no longer open.
async fn fill(state: &State) -> anyhow::Result<usize> {
    // From here on single changes are written again; versions keep both in order.
    state.live.stale.store(false, Ordering::Release);
    let filled = fill_pages(state).await;
    if filled.is_err() {
        state.live.stale.store(true, Ordering::Release);
    }
    filled
}

async fn fill_pages(state: &State) -> anyhow::Result<usize> {
    let listed = state.live.listed().await?;
    let (mut after, mut count) = (Uuid::nil(), 0);
    loop {
        let page = db::apply::open_sessions(&state.db, after, PAGE).await?;
        let Some((last, ..)) = page.last() else { break };
        after = last.session.id;
        count += page.len();
        let sessions: Vec<_> = page
            .iter()
            .map(|(record, server, name)| Told::new(ChangeKind::Updated, LiveSession::new(record, server, name)))
            .collect();
        for chunk in sessions.chunks(CHUNK) {
            state.live.write(chunk.iter()).await?;
        }
    }
    remove_ended(state, &listed).await?;
    state.live.mark_complete().await?;
    Ok(count)
}

/// Sessions that were listed before and have ended meanwhile.
async fn remove_ended(state: &State, listed: &[String]) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = listed.iter().filter_map(|id| Uuid::parse_str(id).ok()).collect();
    for chunk in ids.chunks(CHUNK) {
        let stored = db::apply::sessions_by_ids(&state.db, chunk).await?;
        let ended: Vec<_> = stored
            .iter()
            .filter(|(record, ..)| !record.session.is_open())
            .map(|(record, server, name)| Told::new(ChangeKind::Disconnected, LiveSession::new(record, server, name)))
            .collect();
        if !ended.is_empty() {
            state.live.write(ended.iter()).await?;
        }
        let known: std::collections::HashSet<Uuid> = stored.iter().map(|(record, ..)| record.session.id).collect();
        let gone: Vec<String> = chunk
            .iter()
            .filter(|id| !known.contains(id))
            .map(Uuid::to_string)
            .collect();
        if !gone.is_empty() {
            let _: usize = state
                .live
                .connection
                .clone()
                .zrem(state.live.key("active"), gone)
                .await?;
        }
    }
    Ok(())
}
