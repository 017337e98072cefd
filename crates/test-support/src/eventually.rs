use std::time::{Duration, Instant};

const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(20);

/// Polls until `probe` gives a value; the one place where tests wait.
///
/// # Panics
/// After 30 seconds, naming `what` was waited for.
pub async fn eventually<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(DEFAULT_PATIENCE, what, probe).await
}

/// Like [`eventually`] with another patience.
///
/// # Panics
/// When `patience` is over, naming `what` was waited for.
pub async fn eventually_within<T>(patience: Duration, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(
            started.elapsed() < patience,
            "after {patience:?} still waiting for: {what}"
        );
        tokio::time::sleep(INTERVAL).await;
    }
}
