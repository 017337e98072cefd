//! Pulls telemetry, hands it on in batches, acknowledges.

use std::time::Duration;

use bus::proto::TelemetryBatch;
use bus::{Fetch, Message};
use db::apply::KnownUsers;
use service_kit::Shutdown;
use tokio::task::{JoinError, JoinHandle};

use crate::State;
use crate::decode::{self, Awaited};
use crate::handle::{self, Committed};
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
    let mut telling = Telling::default();
    while !shutdown.is_requested() {
        let messages = tokio::select! {
            messages = consumer.fetch(&limits) => messages,
            () = shutdown.requested() => break,
        };
        if !messages.is_empty() {
            process(&state, messages, &mut known, &mut telling).await?;
        }
    }
    telling.end().await?;
    consumer.release().await;
    Ok(())
}

async fn process(
    state: &State,
    messages: Vec<Message<TelemetryBatch>>,
    known: &mut [KnownUsers],
    telling: &mut Telling,
) -> Result<(), JoinError> {
    let Some(committed) = commit(state, &messages, known).await else {
        known.iter_mut().for_each(KnownUsers::forget);
        later(&messages).await;
        return Ok(());
    };
    let state = state.clone();
    let tell = async move {
        match committed.tell(&state).await {
            Ok(()) => acknowledge(&messages).await,
            Err(_) => later(&messages).await,
        }
    };
    telling.begin(tell).await
}

async fn acknowledge(messages: &[Message<TelemetryBatch>]) {
    for message in messages {
        message.ack().await;
    }
}

/// Has messages delivered again.
async fn later(messages: &[Message<TelemetryBatch>]) {
    for message in messages {
        message.nak(RETRY).await;
    }
    // What is away is away for every message alike.
    tokio::time::sleep(RETRY).await;
}

/// What follows the commit of a batch, while the next one is applied. One at a time, so that changes are told in order.
#[derive(Default)]
struct Telling(Option<JoinHandle<()>>);

impl Telling {
    async fn begin(&mut self, tell: impl Future<Output = ()> + Send + 'static) -> Result<(), JoinError> {
        self.end().await?;
        self.0 = Some(tokio::spawn(tell));
        Ok(())
    }

    async fn end(&mut self) -> Result<(), JoinError> {
        match self.0.take() {
            Some(task) => task.await,
            None => Ok(()),
        }
    }
}

/// `None` when the messages must come again.
async fn commit(state: &State, messages: &[Message<TelemetryBatch>], known: &mut [KnownUsers]) -> Option<Committed> {
    let mut requests = Vec::new();
    for message in messages {
        match decode(message) {
            Ok(of_message) => requests.extend(of_message),
            Err(reason) => {
                if let Err(error) = publish::undecodable(state, message, &reason).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the dead letter of an unreadable message was not stored");
                    return None;
                }
            }
        }
    }
    let redelivered = messages.iter().any(|message| message.delivered() > 1);
    let committed = handle::commit(state, requests, known, redelivered).await;
    let committed = committed.inspect_err(|error| {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, "a batch could not be stored; it will be tried again");
        metrics::counter!("processor_batches_failed_total").increment(1);
    });
    committed.ok()
}

fn decode(message: &Message<TelemetryBatch>) -> Result<Vec<Awaited>, String> {
    let batch = message.decode().map_err(|error| error.to_string())?;
    decode::requests(batch).map_err(|error| error.to_string())
}
