//! The live cache as its readers find it in Redis: `{prefix}:live:active` and `{prefix}:live:session:{id}`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use test_support::{Stack, eventually, redis_command};
use uuid::Uuid;

/// How long the cache may take to show what is committed.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct LiveCache {
    url: String,
    prefix: String,
}

impl LiveCache {
    pub(crate) fn of(stack: &Stack) -> Self {
        let variable = |name: &str| {
            let found = stack.environment().iter().find(|(key, _)| key == name);
            found.expect("every stack has it").1.clone()
        };
        Self {
            url: variable("REDIS_URL"),
            prefix: variable("REDIS_PREFIX"),
        }
    }

    /// The ids of the sessions that it lists as active.
    pub(crate) async fn active(&self) -> BTreeSet<Uuid> {
        let listed = self
            .redis(&["ZRANGE", &format!("{}:live:active", self.prefix), "0", "-1"])
            .await;
        listed
            .split_whitespace()
            .map(|id| id.parse().expect("a UUID"))
            .collect()
    }

    /// Waits until exactly these sessions are active.
    pub(crate) async fn lists(&self, ids: impl IntoIterator<Item = Uuid>) {
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        let mut listed = BTreeSet::new();
        let right = eventually("the live cache to be right", async || {
            listed = self.active().await;
            (listed == ids).then_some(())
        });
        if tokio::time::timeout(PATIENCE, right).await.is_err() {
            let (missing, surplus) = (ids.difference(&listed), listed.difference(&ids));
            panic!(
                "the live cache lacks {:?} and has {:?}",
                Vec::from_iter(missing),
                Vec::from_iter(surplus)
            );
        }
    }

    /// What it holds of a session.
    pub(crate) async fn session(&self, id: Uuid) -> Option<Value> {
        let value = self
            .redis(&["GET", &format!("{}:live:session:{id}", self.prefix)])
            .await;
        let (_version, json) = value.split_once('\n')?;
        Some(serde_json::from_str(json).expect("JSON behind the version"))
    }

    /// Redis loses everything of this stack.
    pub(crate) async fn is_lost(&self) {
        let delete = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end";
        self.redis(&["EVAL", delete, "0", &format!("{}:*", self.prefix)]).await;
    }

    async fn redis(&self, command: &[&str]) -> String {
        redis_command(&self.url, command).await.join("\n")
    }
}
