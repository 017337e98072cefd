//! Tells the product that host and agent are alive, and how they are.

use std::time::Duration;

use agent_api::Heartbeat;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::client::{Answer, ApiClient};
use crate::clock;
use crate::config::Config;
use crate::core::View;

#[derive(Serialize)]
struct Body<'a> {
    server_id: &'a str,
    sent_at: String,
    #[serde(flatten)]
    heartbeat: Heartbeat,
}

/// Sends heartbeats for ever; one that does not get through is followed by the next.
pub async fn run(client: ApiClient, config: &Config, view: watch::Receiver<View>, sent: watch::Receiver<u64>) {
    let mut beats = interval(Duration::from_secs(config.send.heartbeat_seconds));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut busy = CpuTimes::read();
    let mut oldest = None;
    loop {
        beats.tick().await;
        let times = CpuTimes::read();
        let cpu_percent = busy.zip(times).and_then(|(before, after)| before.percent_until(after));
        busy = times.or(busy);
        let now = clock::now();
        let heartbeat = heartbeat(&view.borrow(), *sent.borrow(), cpu_percent, now, &mut oldest);
        let body = Body {
            server_id: &client.server_id,
            sent_at: agent_api::format_time(now),
            heartbeat,
        };
        let request = client.request(reqwest::Method::POST, "/heartbeat").json(&body);
        match client.send(request).await {
            Answer::Accepted(_) => {}
            Answer::Later(_, why) => tracing::debug!(why, "A heartbeat did not get through."),
            Answer::Refused(status, why) => tracing::warn!(%status, why, "The product refuses the heartbeat."),
        }
    }
}

fn heartbeat(
    view: &View,
    sent: u64,
    cpu_percent: Option<f64>,
    now: OffsetDateTime,
    oldest: &mut Option<OffsetDateTime>,
) -> Heartbeat {
    let spool_depth = view.next_index.saturating_sub(sent);
    // As seen from here: since when there has been something that waits.
    *oldest = if spool_depth == 0 {
        None
    } else {
        Some(oldest.unwrap_or(now))
    };
    Heartbeat {
        boot_id: view.boot_id,
        cpu_percent,
        memory_percent: memory_percent(),
        load_1m: load(),
        openvpn_version: view.daemon_version.clone(),
        uptime_seconds: view
            .daemon_started_at
            .and_then(|started| u64::try_from(now.unix_timestamp() - started).ok()),
        session_count: Some(view.sessions as u64),
        dco: view.dco,
        agent_version: env!("CARGO_PKG_VERSION"),
        spool_depth,
        oldest_unsent_at: *oldest,
    }
}

/// Of all processors since the host's start, in ticks.
#[derive(Debug, Clone, Copy)]
struct CpuTimes {
    total: u64,
    idle: u64,
}

impl CpuTimes {
    fn read() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let ticks: Vec<u64> = text
            .lines()
            .next()?
            .split_whitespace()
            .skip(1)
            .take(8)
            .map_while(|ticks| ticks.parse().ok())
            .collect();
        // user nice system idle iowait irq softirq steal
        Some(Self {
            total: ticks.iter().sum(),
            idle: ticks.get(3)? + ticks.get(4)?,
        })
    }

    fn percent_until(self, later: Self) -> Option<f64> {
        let total = later.total.checked_sub(self.total).filter(|total| *total > 0)?;
        let idle = later.idle.saturating_sub(self.idle).min(total);
        Some(rounded(100.0 * (total - idle) as f64 / total as f64))
    }
}

fn memory_percent() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kilobytes = |name: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    let (total, available) = (kilobytes("MemTotal")?, kilobytes("MemAvailable")?);
    (total > 0.0).then(|| rounded(100.0 * (total - available) / total))
}

fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg")
        .ok()?
        .split(' ')
        .next()?
        .parse()
        .ok()
}

fn rounded(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}
