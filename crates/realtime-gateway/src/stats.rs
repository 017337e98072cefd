//! `stats_update`: how many sessions there are, and how fast they come and go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use service_kit::{Shutdown, clock};

use crate::frames;
use crate::hub::Hub;
use crate::live::Live;

const EVERY: Duration = Duration::from_secs(1);
/// Figures that have not changed are told again after so many rounds.
const AGAIN_AFTER: u32 = 15;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Stats {
    active_sessions: usize,
    /// Only VPN servers that have any.
    active_sessions_by_server: BTreeMap<String, usize>,
    connects_per_minute: u64,
    disconnects_per_minute: u64,
}

impl Stats {
    pub(crate) fn of(live: &mut Live) -> Self {
        let (connects, disconnects) = live.rates.of_last_minute(clock::now().unix_timestamp());
        Self {
            active_sessions: live.view.len(),
            active_sessions_by_server: live
                .view
                .active_of()
                .map(|(server, count)| (server.to_owned(), count))
                .collect(),
            connects_per_minute: connects,
            disconnects_per_minute: disconnects,
        }
    }
}

/// Tells the figures once a second, when they have changed.
pub(crate) async fn run(hub: Arc<Hub>, shutdown: Shutdown) -> anyhow::Result<()> {
    let (mut told, mut rounds) = (None, 0);
    while !shutdown.is_requested() {
        let stats = hub.change(Stats::of);
        rounds += 1;
        if let Some(stats) = stats.filter(|stats| told.as_ref() != Some(stats) || rounds >= AGAIN_AFTER) {
            metrics::gauge!("realtime_active_sessions").set(stats.active_sessions as f64);
            hub.tell(|position| frames::event("stats_update", position, &stats));
            (told, rounds) = (Some(stats), 0);
        }
        if let Some(bytes) = hub.look(|live| live.log.bytes()) {
            metrics::gauge!("realtime_replay_bytes").set(bytes as f64);
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.requested() => {}
        }
    }
    Ok(())
}
