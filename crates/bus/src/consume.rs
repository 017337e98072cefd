use std::marker::PhantomData;
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::proto::{RejectedBatch, TelemetryBatch};
use crate::{Bus, Error, streams, trace};

/// Messages that the server may send ahead of `fetch`. They count as delivered, so few enough for other replicas.
const PREFETCH: usize = 64;
/// How long the server holds one pull request; asked anew without a pause.
const PULL_EXPIRES: Duration = Duration::from_secs(20);
/// How often an idle pull shows that it lives; two missed and it is opened again.
const PULL_HEARTBEAT: Duration = Duration::from_secs(2);
/// How long messages that are handed back rest: without, they would come straight back to the pull that is being left.
const HAND_BACK_PAUSE: Duration = Duration::from_millis(200);
/// Pauses before a pull is opened again: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub type TelemetryConsumer = Consumer<TelemetryBatch>;
pub type RejectedConsumer = Consumer<RejectedBatch>;

impl Bus {
    /// The processor's share of the telemetry stream. Replicas divide the messages among them.
    ///
    /// # Errors
    /// [`Error::ConsumerDiffers`] when the live consumer is not the declared one.
    pub async fn telemetry_consumer(&self) -> Result<TelemetryConsumer, Error> {
        Consumer::open(self, self.names.telemetry_stream()).await
    }

    /// The same for rejected events.
    pub async fn rejected_consumer(&self) -> Result<RejectedConsumer, Error> {
        Consumer::open(self, self.names.rejected_stream()).await
    }

    /// Removes from both streams what the processor has acknowledged; answers how many messages that were.
    pub async fn trim_acknowledged(&self) -> Result<u64, Error> {
        let telemetry = streams::trim(&self.jetstream, &self.names.telemetry_stream()).await?;
        let rejected = streams::trim(&self.jetstream, &self.names.rejected_stream()).await?;
        Ok(telemetry + rejected)
    }
}

/// How much one [`Consumer::fetch`] takes.
#[derive(Debug, Clone, Copy)]
pub struct Fetch {
    pub max_messages: usize,
    /// Stop after the message that reaches this sum of payload bytes.
    pub max_bytes: usize,
    /// How long to wait for a first message.
    pub wait: Duration,
    /// How long to wait for more after the first. Zero takes what has arrived already.
    pub linger: Duration,
}

/// A durable pull consumer that outlives restarts of NATS.
pub struct Consumer<M> {
    source: Source,
    pull: Pull,
    pause: Duration,
    message: PhantomData<fn() -> M>,
}

/// What is needed to open the pull again.
#[derive(Clone)]
struct Source {
    context: jetstream::Context,
    stream: String,
    ack_wait: Duration,
}

enum Pull {
    Open(Box<pull::Stream>),
    // In a task of its own, so that a fetch that gives up does not start it over and over.
    Opening(JoinHandle<Result<pull::Stream, Error>>),
    Closed,
}

impl Pull {
    fn take(&mut self) -> Option<Box<pull::Stream>> {
        match std::mem::replace(self, Self::Closed) {
            Self::Open(pull) => Some(pull),
            Self::Opening(_) | Self::Closed => None,
        }
    }
}

impl<M: prost::Message + Default> Consumer<M> {
    async fn open(bus: &Bus, stream: String) -> Result<Self, Error> {
        let source = Source {
            context: bus.jetstream.clone(),
            stream,
            ack_wait: bus.config.ack_wait(),
        };
        let pull = Pull::Open(Box::new(source.pull().await?));
        Ok(Self {
            source,

            pull,
            pause: FIRST_PAUSE,
            message: PhantomData,
        })
    }

    /// The next messages, oldest first; empty when none arrives within `wait`. While NATS is away this waits, too: the
    /// pull is opened again as soon as it is back. Cancelling loses nothing but the time until redelivery.
    pub async fn fetch(&mut self, limits: &Fetch) -> Vec<Message<M>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut deadline = Instant::now() + limits.wait;
        while batch.len() < limits.max_messages && bytes < limits.max_bytes {
            let Some(message) = self.next_before(deadline).await else {
                break;
            };
            if batch.is_empty() {
                deadline = Instant::now() + limits.linger;
            }
            bytes += message.payload().len();
            batch.push(message);
        }
        batch
    }

    /// Hands messages that were sent ahead back to the other replicas. Call at shutdown.
    pub async fn release(mut self) {
        if let Some(pull) = self.pull.take() {
            hand_back(*pull).await;
        }
    }

    async fn next_before(&mut self, deadline: Instant) -> Option<Message<M>> {
        // Most messages are here already: no timer for those.
        if let Some(message) = self.next().now_or_never() {
            return Some(message);
        }
        timeout_at(deadline, self.next()).await.ok()
    }

    /// Waits for ever; may be cancelled at any time.
    async fn next(&mut self) -> Message<M> {
        loop {
            match &mut self.pull {
                Pull::Opening(task) => {
                    let opened = task.await.unwrap_or_else(|error| Err(Error::unavailable(error)));
                    self.opened(opened);
                }
                // After a reconnection the pull goes on by itself; if it cannot, it misses a heartbeat and fails.
                Pull::Open(pull) => match pull.next().await {
                    Some(Ok(message)) => return Message::new(message),
                    Some(Err(error)) => self.reopen(&error.to_string()),
                    None => self.reopen("the pull has ended"),
                },
                Pull::Closed => self.reopen("the pull is closed"),
            }
        }
    }

    fn opened(&mut self, opened: Result<pull::Stream, Error>) {
        match opened {
            Ok(pull) => {
                self.pause = FIRST_PAUSE;
                self.pull = Pull::Open(Box::new(pull));
            }
            Err(error) => {
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                self.reopen(&format!("{error}: {cause}"));
            }
        }
    }

    fn reopen(&mut self, reason: &str) {
        tracing::warn!(stream = %self.source.stream, reason, "the consumer opens its pull again");
        let (source, pause, old) = (self.source.clone(), self.pause, self.pull.take());
        self.pull = Pull::Opening(tokio::spawn(async move {
            if let Some(old) = old {
                hand_back(*old).await;
            }
            tokio::time::sleep(pause).await;
            source.pull().await
        }));
    }
}

/// What a pull holds but nobody will fetch is delivered again soon, instead of after the time to acknowledge. What the
/// server is just sending is not here yet, and waits for that time.
async fn hand_back(mut pull: pull::Stream) {
    while let Some(Some(Ok(message))) = pull.next().now_or_never() {
        Message::<()>::new(message).nak(HAND_BACK_PAUSE).await;
    }
}

impl<M> Drop for Consumer<M> {
    fn drop(&mut self) {
        if let Pull::Opening(task) = &self.pull {
            task.abort();
        }
    }
}

impl Source {
    async fn pull(&self) -> Result<pull::Stream, Error> {
        let consumer = streams::consumer(&self.context, &self.stream, self.ack_wait).await?;
        consumer
            .stream()
            .max_messages_per_batch(PREFETCH)
            .expires(PULL_EXPIRES)
            .heartbeat(PULL_HEARTBEAT)
            .messages()
            .await
            .map_err(Error::unavailable)
    }
}

/// A stored message that is delivered again until it is acknowledged.
pub struct Message<M> {
    inner: jetstream::Message,
    kind: PhantomData<fn() -> M>,
}

impl<M: prost::Message + Default> Message<M> {
    fn new(inner: jetstream::Message) -> Self {
        Self {
            inner,
            kind: PhantomData,
        }
    }

    /// # Errors
    /// When the bytes are no such message: they never will be, so keep them elsewhere and acknowledge.
    pub fn decode(&self) -> Result<M, prost::DecodeError> {
        M::decode(self.inner.payload.clone())
    }

    pub fn payload(&self) -> &Bytes {
        &self.inner.payload
    }

    /// How often this message was delivered, this time included. At least 1.
    pub fn delivered(&self) -> u64 {
        self.inner.info().map_or(1, |info| info.delivered.max(1).unsigned_abs())
    }

    /// Its number in the stream.
    pub fn sequence(&self) -> u64 {
        self.inner.info().map_or(0, |info| info.stream_sequence)
    }

    /// W3C trace context of the publisher.
    pub fn traceparent(&self) -> Option<&str> {
        trace::traceparent(self.inner.headers.as_ref())
    }

    /// Done: do not deliver it again. A lost acknowledgement only means one more delivery.
    pub async fn ack(&self) {
        self.answer(AckKind::Ack).await;
    }

    /// Not done: deliver it again, to any replica, after this pause.
    pub async fn nak(&self, delay: Duration) {
        self.answer(AckKind::Nak((!delay.is_zero()).then_some(delay))).await;
    }

    /// Still at it: start the time until redelivery anew.
    pub async fn in_progress(&self) {
        self.answer(AckKind::Progress).await;
    }

    async fn answer(&self, kind: AckKind) {
        if let Err(error) = self.inner.ack_with(kind).await {
            tracing::warn!(%error, sequence = self.sequence(), "an acknowledgement could not be sent");
        }
    }
}
