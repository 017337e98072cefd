//! What must happen although no event arrives: timeouts, and trimming the streams.

use db::apply::{ChangeKind, SessionChange, sessions_by_ids, sweep_timeouts};
use service_kit::Shutdown;
use service_kit::clock;

use crate::{State, publish};

/// Sessions of one sweep's transaction.
const LIMIT: i64 = 5_000;

pub(crate) async fn run(state: State, shutdown: Shutdown) -> anyhow::Result<()> {
    while !shutdown.is_requested() {
        if let Err(error) = time_out(&state).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "timeouts could not be looked for"
            );
        }
        match state.bus.trim_acknowledged().await {
            Ok(messages) => tracing::debug!(messages, "acknowledged messages were trimmed"),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the streams could not be trimmed"
            ),
        }
        tokio::select! {
            () = tokio::time::sleep(state.config.processor.sweep_interval()) => {}
            () = shutdown.requested() => {}
        }
    }
    Ok(())
}

async fn time_out(state: &State) -> Result<(), db::Error> {
    loop {
        let changed = sweep_timeouts(
            &state.db,
            clock::now(),
            state.config.processor.session_timeout_seconds,
            LIMIT,
        )
        .await?;
        if changed.is_empty() {
            return Ok(());
        }
        metrics::counter!("processor_sessions_timed_out_or_back_total").increment(changed.len() as u64);
        let changes: Vec<SessionChange> = sessions_by_ids(&state.db, &changed)
            .await?
            .into_iter()
            .map(|(record, server_name, common_name)| SessionChange {
                kind: ChangeKind::Updated,
                record,
                server_name,
                common_name,
            })
            .collect();
        publish::changes(state, &changes).await;
    }
}
