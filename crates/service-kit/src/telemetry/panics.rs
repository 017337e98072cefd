//! Panics as log lines instead of traces on standard error.

use std::future::Future;
use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

tokio::task_local! {
    /// Where the panic of the current task goes, if somebody waits to tell of it.
    static CAPTURED: Arc<OnceLock<String>>;
}

/// From now on panics are logged, except those that [`captured`] hands to its caller.
pub(crate) fn log() {
    std::panic::set_hook(Box::new(|info| {
        let panic = describe(info);
        let taken = CAPTURED
            .try_with(|slot| slot.set(panic.clone()).is_ok())
            .unwrap_or(false);
        if !taken {
            tracing::error!(panic, "a task panicked");
        }
    }));
}

/// Runs the future and gives, beside its output, the first panic in it.
pub(crate) async fn captured<F: Future>(future: F) -> (F::Output, Option<String>) {
    let slot = Arc::new(OnceLock::new());
    let output = CAPTURED.scope(slot.clone(), future).await;
    let panic = slot.get().cloned();
    (output, panic)
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("no message");
    match info.location() {
        Some(location) => format!("panicked at {}:{}: {message}", location.file(), location.line()),
        None => format!("panicked: {message}"),
    }
}
