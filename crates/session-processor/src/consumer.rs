//! Pulls telemetry, hands it on in batches, acknowledges.

use std::time::Duration;

use bus::proto::TelemetryBatch;
use bus::{Fetch, Message};
use db::apply::KnownUsers;
use service_kit::Shutdown;

use crate::State;
use crate::decode::{self, Awaited};
use crate::handle::{self, Handled};
use crate::publish;

/// How long an idle pull waits before it looks for shutdown again.
const IDLE: Duration = Duration::from_millis(500);
/// After how long a message is delivered again when the database is away.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) async fn run(state: State, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut consumer = state.bus.telemetry_consumer().await?;
    let processor = &state.config.processor;
    let mut known: Vec<KnownUsers> = (0..processor.processor_lanes)
        .map(|_| KnownUsers::new(processor.processor_known_users))
        .collect();
    let limits = Fetch {
        max_messages: state.config.processor.processor_batch_messages,
        max_bytes: state.config.processor.processor_batch_bytes,
        wait: IDLE,
        linger: state.config.processor.linger(),
    };
    while !shutdown.is_requested() {
        let messages = tokio::select! {
            messages = consumer.fetch(&limits) => messages,
            () = shutdown.requested() => break,
        };
        if !messages.is_empty() {
            process(&state, &messages, &mut known).await;
        }
    }
    consumer.release().await;
    Ok(())
}

async fn process(state: &State, messages: &[Message<TelemetryBatch>], known: &mut [KnownUsers]) {
    match handle(state, messages, known).await {
        Handled::Done => {
            for message in messages {
                message.ack().await;
            }
        }
        Handled::Later => {
            known.iter_mut().for_each(KnownUsers::forget);
            for message in messages {
                message.nak(RETRY).await;
            }
            // The database is away for every message alike.
            tokio::time::sleep(RETRY).await;
        }
    }
}

async fn handle(state: &State, messages: &[Message<TelemetryBatch>], known: &mut [KnownUsers]) -> Handled {
    let mut requests = Vec::new();
    for message in messages {
        match decode(message) {
            Ok(of_message) => requests.extend(of_message),
            Err(reason) => {
                if let Err(error) = publish::undecodable(state, message, &reason).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the dead letter of an unreadable message was not stored");
                    return Handled::Later;
                }
            }
        }
    }
    let redelivered = messages.iter().any(|message| message.delivered() > 1);
    handle::handle(state, requests, known, redelivered).await
}

fn decode(message: &Message<TelemetryBatch>) -> Result<Vec<Awaited>, String> {
    let batch = message.decode().map_err(|error| error.to_string())?;
    decode::requests(batch).map_err(|error| error.to_string())
}
