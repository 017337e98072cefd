//! Revoked keys act at once: they are announced over the bus, and while the bus is away nothing of the cache is trusted
//! afterwards.

use bus::Bus;
use futures_util::{Stream, StreamExt};
use service_kit::Shutdown;

use crate::key_cache::{KeyCache, KeyId};

pub(crate) async fn follow(
    keys: KeyCache,
    bus: Bus,
    mut revoked: impl Stream<Item = String> + Unpin,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let mut reconnects = bus.on_reconnect();
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            key_id = revoked.next() => match key_id.as_deref().map(KeyId::parse) {
                Some(Some(id)) => {
                    keys.revoke(id);
                    tracing::info!(key_id, "an API key is revoked");
                }
                Some(None) => tracing::warn!(key_id, "the revocation of no possible key is ignored"),
                None => anyhow::bail!("the subscription to revoked API keys has ended"),
            },
            Ok(()) = reconnects.changed() => {
                keys.clear();
                tracing::info!("the key cache is cleared, because revocations may have been missed");
            }
        }
    }
}
