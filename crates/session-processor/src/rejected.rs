//! Stores rejected events as dead letters.

use std::time::Duration;

use bus::proto::{RejectedBatch, RejectedEvent};
use bus::{Fetch, InvalidMessage, Message, time_from_micros};
use db::dead_letters::{DeadLetter, store};
use service_kit::Shutdown;
use uuid::Uuid;

use crate::State;

const LIMITS: Fetch = Fetch {
    max_messages: 64,
    max_bytes: 4_194_304,
    wait: Duration::from_millis(500),
    linger: Duration::from_millis(5),
};
const RETRY: Duration = Duration::from_secs(1);

pub(crate) async fn run(state: State, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut consumer = state.bus.rejected_consumer().await?;
    while !shutdown.is_requested() {
        let messages = tokio::select! {
            messages = consumer.fetch(&LIMITS) => messages,
            () = shutdown.requested() => break,
        };
        if messages.is_empty() {
            continue;
        }
        if let Err(error) = store(&state.db, &letters(&messages)).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "dead letters could not be stored; they will be tried again"
            );
            for message in &messages {
                message.nak(RETRY).await;
            }
            tokio::time::sleep(RETRY).await;
            continue;
        }
        for message in &messages {
            message.ack().await;
        }
    }
    consumer.release().await;
    Ok(())
}

fn letters(messages: &[Message<RejectedBatch>]) -> Vec<DeadLetter> {
    let mut letters = Vec::new();
    for message in messages {
        let batch = match message.decode() {
            Ok(batch) => batch,
            Err(error) => {
                tracing::error!(sequence = message.sequence(), %error, "a message of the rejected stream cannot be read");
                continue;
            }
        };
        for event in batch.events {
            match letter(event) {
                Ok(letter) => letters.push(letter),
                Err(error) => tracing::error!(sequence = message.sequence(), %error, "a rejected event cannot be kept"),
            }
        }
    }
    letters
}

fn letter(event: RejectedEvent) -> Result<DeadLetter, InvalidMessage> {
    let id = Uuid::from_slice(&event.id).map_err(|error| InvalidMessage {
        field: "id",
        found: error.to_string(),
    })?;
    Ok(DeadLetter {
        id,
        received_at: time_from_micros("received_at_us", event.received_at_us)?,
        server_id: (event.server_key != 0).then_some(event.server_key),
        server_name: event.server_name,
        event_id: (!event.event_id.is_empty()).then_some(event.event_id),
        error: event.error,
        detail: event.detail,
        event_json: event.event_json,
        request_id: event.request_id,
    })
}
