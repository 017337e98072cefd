//! The list in Redis.
//!
//! `{prefix}:denied:session:{id}` and `{prefix}:denied:user:{id}` (the lowest valid token version) answer for one token;
//! `{prefix}:denied:log` is a stream of the same entries, for copies. All of them expire. `{prefix}:denied:filled` names the
//! life of the Redis server in which the list was filled: without it, or after a restart, something may be missing.

use std::time::Duration;

use domain::revocation::Revocation;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::StreamRangeReply;
use redis::{RedisResult, Script};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{DenylistUnavailable, ENTRY_LIFE};
use crate::caller::Caller;

const ANSWER_WITHIN: Duration = Duration::from_millis(500);
/// Entries of one script call: Lua's stack bounds the number of arguments.
const CHUNK: usize = 500;
/// Entries of one read of the log.
const PAGE: usize = 5_000;

/// ARGV: prefix, life in seconds, oldest id that the log keeps, then kind, id and version of each entry.
const ADD: &str = r"
for i = 4, #ARGV, 3 do
  local key = ARGV[1] .. ARGV[i] .. ':' .. ARGV[i + 1]
  local known = tonumber(redis.call('GET', key) or '-1')
  if known < tonumber(ARGV[i + 2]) then
    redis.call('SET', key, ARGV[i + 2], 'EX', ARGV[2])
    redis.call('XADD', KEYS[1], 'MINID', '~', ARGV[3], '*', 'kind', ARGV[i], 'id', ARGV[i + 1], 'version', ARGV[i + 2])
    redis.call('EXPIRE', KEYS[1], ARGV[2])
  end
end
return 0";

/// How far a copy has read.
#[derive(Default)]
pub(super) struct Cursor {
    filled: Option<String>,
    last_id: String,
}

pub(super) struct Store {
    connection: ConnectionManager,
    prefix: String,
    add: Script,
}

impl Store {
    pub(super) fn connect(url: &str, prefix: &str) -> RedisResult<Self> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN))
            .set_number_of_retries(1);
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(redis::Client::open(url)?, settings)?,
            prefix: format!("{prefix}:denied:"),
            add: Script::new(ADD),
        })
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) async fn denies(&self, caller: &Caller) -> Result<bool, DenylistUnavailable> {
        let (filled, session, version): (Option<String>, Option<i32>, Option<i32>) = redis::cmd("MGET")
            .arg(self.key("filled"))
            .arg(self.key(&format!("session:{}", caller.session_id)))
            .arg(self.key(&format!("user:{}", caller.portal_user_id)))
            .query_async(&mut self.connection.clone())
            .await?;
        if filled.is_none() {
            return Err(DenylistUnavailable::Emptied);
        }
        Ok(session.is_some() || version.is_some_and(|version| caller.token_version < version))
    }

    pub(super) async fn add(&self, revocations: &[Revocation], now: OffsetDateTime) -> Result<(), DenylistUnavailable> {
        let oldest = (now - ENTRY_LIFE).unix_timestamp() * 1_000;
        for chunk in revocations.chunks(CHUNK) {
            let mut call = self.add.prepare_invoke();
            call.key(self.key("log"))
                .arg(&self.prefix)
                .arg(ENTRY_LIFE.whole_seconds())
                .arg(oldest.max(0));
            for revocation in chunk {
                match revocation {
                    Revocation::PortalSession(id) => call.arg("session").arg(id.to_string()).arg(0),
                    Revocation::PortalUser { id, token_version } => call.arg("user").arg(*id).arg(*token_version),
                };
            }
            call.invoke_async::<i64>(&mut self.connection.clone()).await?;
        }
        Ok(())
    }

    /// What the copy behind `cursor` lacks; all of it when the list was filled anew.
    pub(super) async fn read(&self, cursor: &mut Cursor) -> Result<Vec<Revocation>, DenylistUnavailable> {
        let mut revocations = Vec::new();
        loop {
            let (filled, page) = self.read_page(&cursor.last_id).await?;
            let filled = filled.ok_or(DenylistUnavailable::Emptied)?;
            if cursor.filled.as_ref() != Some(&filled) {
                let anew = !cursor.last_id.is_empty();
                *cursor = Cursor {
                    filled: Some(filled),
                    last_id: String::new(),
                };
                if anew {
                    continue;
                }
            }
            let Some(last) = page.ids.last() else {
                return Ok(revocations);
            };
            cursor.last_id.clone_from(&last.id);
            revocations.extend(page.ids.iter().filter_map(entry));
        }
    }

    async fn read_page(&self, after: &str) -> RedisResult<(Option<String>, StreamRangeReply)> {
        let start = if after.is_empty() {
            "-".to_owned()
        } else {
            format!("({after}")
        };
        redis::pipe()
            .atomic()
            .get(self.key("filled"))
            .xrange_count(self.key("log"), start, "+", PAGE)
            .query_async(&mut self.connection.clone())
            .await
    }

    pub(super) async fn is_filled(&self) -> Result<bool, DenylistUnavailable> {
        let filled: Option<String> = redis::cmd("GET")
            .arg(self.key("filled"))
            .query_async(&mut self.connection.clone())
            .await?;
        Ok(filled.is_some() && filled == Some(self.server_life().await?))
    }

    /// Only adds: what is revoked meanwhile is kept.
    pub(super) async fn fill(
        &self,
        revocations: &[Revocation],
        now: OffsetDateTime,
    ) -> Result<(), DenylistUnavailable> {
        // Asked before: should Redis restart meanwhile, the mark is that of a life that is over.
        let life = self.server_life().await?;
        self.add(revocations, now).await?;
        redis::cmd("SET")
            .arg(self.key("filled"))
            .arg(life)
            .exec_async(&mut self.connection.clone())
            .await?;
        Ok(())
    }

    /// A name that is another one after each restart and failover.
    async fn server_life(&self) -> RedisResult<String> {
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut self.connection.clone())
            .await?;
        let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
        Ok(run_id.unwrap_or("unknown").trim().to_owned())
    }
}

/// Entries of a later version of this program are left to it.
fn entry(entry: &redis::streams::StreamId) -> Option<Revocation> {
    let kind: String = entry.get("kind")?;
    let id: String = entry.get("id")?;
    match kind.as_str() {
        "session" => Some(Revocation::PortalSession(Uuid::parse_str(&id).ok()?)),
        "user" => Some(Revocation::PortalUser {
            id: id.parse().ok()?,
            token_version: entry.get("version")?,
        }),
        _ => None,
    }
}
