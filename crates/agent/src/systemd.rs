//! What systemd is told: that the agent is ready, how it is in one line, and that it is alive. Without systemd nothing of it happens.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::core::View;
use crate::report::Reporter;

/// How long the start waits at most until it is known whether sources and product work.
const FIRST_LOOK: Duration = Duration::from_secs(20);
/// Between two lines for `systemctl status`, at most.
const INTERVAL: Duration = Duration::from_secs(10);

/// Speaks with systemd for ever. Ready is an agent of which `agent status` tells the truth: whoever starts it asks next.
pub async fn run(reporter: &Reporter, mut view: watch::Receiver<View>) {
    // What was not heard in time is told as such.
    let _ = timeout(FIRST_LOOK, reporter.health.is_known()).await;
    tell(&[NotifyState::Ready]);
    let interval = sd_notify::watchdog_enabled().map_or(INTERVAL, |limit| INTERVAL.min(limit / 4));
    loop {
        let line = reporter.report().await.to_line();
        tell(&[NotifyState::Status(&line)]);
        sleep(interval).await;
        // The core shows itself with each of its steps, several in a second; one that hangs, shows nothing.
        view.mark_unchanged();
        if view.changed().await.is_err() {
            return std::future::pending().await;
        }
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd does not listen.");
    }
}
