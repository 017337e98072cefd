//! How the gateway is doing, as clients are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytestring::ByteString;
use domain::time_format;
use serde::Serialize;
use service_kit::{Shutdown, clock};
use time::OffsetDateTime;

use crate::frames;
use crate::hub::Hub;
use crate::live_cache::LiveCache;
use crate::position::Position;

const EVERY: Duration = Duration::from_millis(500);

/// What is there and what is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    redis: Redis,
    nats: Nats,
    sessions: Sessions,
    /// Until when the sessions are known to be complete.
    #[serde(serialize_with = "time_format::optional_millis")]
    as_of: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Redis {
    Ok,
    /// It has lost the live sessions; session-processor fills it.
    Filling,
    Away,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Nats {
    Ok,
    Away,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sessions {
    Live,
    /// As they were at `as_of`: changes do not arrive.
    Stale,
    /// Not known yet.
    Loading,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            redis: Redis::Away,
            nats: Nats::Away,
            sessions: Sessions::Loading,
            as_of: None,
        }
    }
}

impl Status {
    /// Changes arrive, and the sessions are complete.
    pub(crate) fn go_live(&mut self) {
        *self = Self {
            redis: self.redis,
            nats: Nats::Ok,
            sessions: Sessions::Live,
            as_of: Some(clock::now()),
        };
    }

    /// The same but for the time that passes.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.redis, self.nats, self.sessions) == (other.redis, other.nats, other.sessions)
    }

    pub(crate) fn name(&self) -> &'static str {
        match (self.sessions, self.redis, self.nats) {
            (Sessions::Live, Redis::Ok, Nats::Ok) => "live",
            (Sessions::Live, ..) => "live, degraded",
            (Sessions::Stale, ..) => "stale",
            (Sessions::Loading, ..) => "loading",
        }
    }

    pub(crate) fn frame(&self, position: Position) -> ByteString {
        frames::event("status", position, self)
    }
}

/// Watches what the gateway needs, and tells when it comes and goes.
pub(crate) async fn run(
    hub: Arc<Hub>,
    cache: LiveCache,
    following: Arc<AtomicBool>,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    while !shutdown.is_requested() {
        let redis = match cache.is_complete().await {
            Ok(true) => Redis::Ok,
            Ok(false) => Redis::Filling,
            Err(_) => Redis::Away,
        };
        hub.set_status(&now(&hub, redis, following.load(Ordering::Acquire)));
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.requested() => {}
        }
    }
    Ok(())
}

fn now(hub: &Hub, redis: Redis, following: bool) -> Status {
    let sessions = match (hub.generation(), following) {
        (0, _) => Sessions::Loading,
        (_, true) => Sessions::Live,
        (_, false) => Sessions::Stale,
    };
    let as_of = match sessions {
        Sessions::Live => Some(clock::now()),
        Sessions::Stale | Sessions::Loading => hub.status().as_of,
    };
    Status {
        redis,
        nats: if following { Nats::Ok } else { Nats::Away },
        sessions,
        as_of,
    }
}
