//! Tells the product how far each command has come, until it has heard.

use std::time::Duration;

use agent_api::{CommandResult, CommandState};
use tokio::time::timeout;

use super::journal::{Journal, Record};
use crate::client::{Answer, ApiClient};
use crate::clock;

const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Reports for ever.
///
/// # Errors
/// When the journal's disk refuses.
pub(super) async fn run(client: &ApiClient, journal: &Journal, longest_pause: Duration) -> anyhow::Result<()> {
    let mut pause = FIRST_PAUSE;
    loop {
        let mut not_now = None;
        for record in journal.unreported() {
            let Some(state) = record.state.told() else { continue };
            match report(client, &record, state).await {
                Answer::Accepted(_) => journal.reported(record.id, record.state)?,
                Answer::Refused(status, why) => {
                    tracing::error!(command_id = %record.id, %status, why, "The product refuses a command's result.");
                    journal.reported(record.id, record.state)?;
                }
                Answer::Later(wait, why) => not_now = Some((wait, why)),
            }
        }
        let Some((wait, why)) = not_now else {
            pause = FIRST_PAUSE;
            journal.news().await;
            continue;
        };
        let wait = wait.map_or(pause, Duration::from_secs).min(longest_pause);
        let wait = wait.mul_f64(1.0 + rand::random::<f64>() / 2.0);
        tracing::warn!(
            why,
            seconds = wait.as_secs_f64(),
            "A command's result is not taken now; it is reported again."
        );
        pause = (pause * 2).min(longest_pause);
        // News is tried at once, and what waits with it.
        let _ = timeout(wait, journal.news()).await;
    }
}

async fn report(client: &ApiClient, record: &Record, state: CommandState) -> Answer {
    let now = clock::now_ms();
    let ago = |at: i64| now.saturating_sub(at).max(0);
    let body = CommandResult {
        state,
        ms_ago: ago(record.reached_at),
        accepted_ms_ago: record.accepted_at.map(ago),
        gone_ms_ago: record.gone_at.map(ago),
        reconnected_session_id: record.reconnected_session_id,
        failure: record.failure.as_deref(),
    };
    let path = format!("/commands/{}/result", record.id);
    client
        .send(client.request(reqwest::Method::POST, &path).json(&body))
        .await
}
