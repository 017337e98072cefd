//! Tells ingest that there is something for agents to fetch.

use std::collections::BTreeSet;

use bus::Bus;

/// Wakes the polls of these VPN servers' agents. Call after the commit. Whatever happens here, they find it within a second or so.
pub(crate) async fn wake(bus: &Bus, server_keys: impl IntoIterator<Item = i32>) {
    let servers: BTreeSet<i32> = server_keys.into_iter().collect();
    if servers.is_empty() {
        return;
    }
    if let Err(error) = bus.publish_commands_waiting(servers.into_iter().collect()).await {
        tracing::warn!(%error, "agents are not told of their commands; ingest finds them by itself");
    }
}
