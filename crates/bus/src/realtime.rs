//! Session changes for realtime subscribers: a stream in memory whose sequence is every subscriber's position.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::{PublishAckFuture, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use futures_util::future::join_all;
use futures_util::{Stream, StreamExt};
use prost::Message as _;
use time::OffsetDateTime;

use crate::proto::SessionDeltas;
use crate::{Bus, Error, streams, trace};

/// Messages that the server may send ahead.
const PREFETCH: usize = 200;
const PULL_EXPIRES: Duration = Duration::from_secs(20);
/// Two missed and the feed fails.
const PULL_HEARTBEAT: Duration = Duration::from_secs(1);
/// A feed that nobody pulls from any more is forgotten by the server after this.
const INACTIVE: Duration = Duration::from_secs(30);

/// What the stream of session changes holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealtimeState {
    /// Changes when NATS has lost the stream and it was made again; sequences of two epochs have nothing in common.
    pub epoch: u64,
    /// Sequence of the oldest message, or of the next one when there is none.
    pub first: u64,
    /// Sequence of the newest message; 0 before the first.
    pub last: u64,
}

/// Session changes, with their place in the stream.
#[derive(Debug, Clone)]
pub struct PositionedDeltas {
    pub sequence: u64,
    /// When JetStream took them, by the server's clock.
    pub stored_at: OffsetDateTime,
    pub deltas: SessionDeltas,
}

impl Bus {
    /// Publishes the sessions of some servers as they are now, and waits once for the acknowledgements of all. Subscribers
    /// may miss what fails here: it is for them to compare with the truth from time to time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when some were not stored.
    pub async fn publish_deltas(&self, deltas: &[SessionDeltas]) -> Result<(), Error> {
        // Without a connection the client would keep them and send them when they are long outdated.
        if !self.is_connected() {
            return Err(Error::unavailable("not connected"));
        }
        let unstored = self.try_publish(deltas.iter()).await?;
        if unstored.is_empty() {
            return Ok(());
        }
        streams::declare_realtime(&self.jetstream, &self.names, &self.config).await?;
        match self.try_publish(unstored.into_iter()).await?.len() {
            0 => Ok(()),
            count => Err(Error::unavailable(format!("{count} messages were not stored"))),
        }
    }

    /// Gives those that no stream has taken.
    async fn try_publish<'a>(
        &self,
        deltas: impl Iterator<Item = &'a SessionDeltas>,
    ) -> Result<Vec<&'a SessionDeltas>, Error> {
        let mut sent = Vec::new();
        for one in deltas {
            sent.push((one, self.send_deltas(one).await?));
        }
        let acknowledged = join_all(sent.into_iter().map(async |(one, acknowledgement)| {
            let outcome = acknowledgement.await;
            (one, outcome.map(drop))
        }))
        .await;
        let mut unstored = Vec::new();
        for (one, outcome) in acknowledged {
            match outcome {
                Ok(()) => {}
                Err(error) if error.kind() == PublishErrorKind::StreamNotFound => unstored.push(one),
                Err(error) => return Err(Error::unavailable(error)),
            }
        }
        Ok(unstored)
    }

    async fn send_deltas(&self, deltas: &SessionDeltas) -> Result<PublishAckFuture, Error> {
        let mut message = PublishMessage::build().payload(deltas.encode_to_vec().into());
        if let Some(headers) = trace::current_headers() {
            message = message.headers(headers);
        }
        let subject = self.names.realtime_sessions(&deltas.server_name);
        self.jetstream
            .send_publish(subject, message)
            .await
            .map_err(Error::unavailable)
    }

    /// The session changes of one server, or of all, from now on; what is missed while the connection is lost stays missed.
    pub async fn subscribe_deltas(
        &self,
        server_name: Option<&str>,
    ) -> Result<impl Stream<Item = SessionDeltas> + Send + Unpin + use<>, Error> {
        let subject = match server_name {
            Some(name) => self.names.realtime_sessions(name),
            None => self.names.realtime_sessions_all(),
        };
        self.listen(subject).await
    }

    /// What the stream of session changes holds now; makes it again when NATS has lost it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when JetStream does not answer.
    pub async fn realtime_state(&self) -> Result<RealtimeState, Error> {
        if !self.is_connected() {
            return Err(Error::unavailable("not connected"));
        }
        streams::declare_realtime(&self.jetstream, &self.names, &self.config).await?;
        let stream = self
            .jetstream
            .get_stream(self.names.realtime_stream())
            .await
            .map_err(Error::unavailable)?;
        let info = stream.cached_info();
        Ok(RealtimeState {
            epoch: u64::try_from(info.created.unix_timestamp_nanos() / 1_000).unwrap_or_default(),
            first: info.state.first_sequence.max(1),
            last: info.state.last_sequence,
        })
    }

    /// All session changes from this sequence on, in order.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when JetStream does not answer or has lost the stream.
    pub async fn deltas_from(&self, sequence: u64) -> Result<DeltaFeed, Error> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: sequence.max(1),
            },
            ack_policy: AckPolicy::None,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer: PullConsumer = self
            .jetstream
            .get_stream_no_info(self.names.realtime_stream())
            .await
            .map_err(Error::unavailable)?
            .create_consumer(config)
            .await
            .map_err(Error::unavailable)?;
        let pull = consumer
            .stream()
            .max_messages_per_batch(PREFETCH)
            .expires(PULL_EXPIRES)
            .heartbeat(PULL_HEARTBEAT)
            .messages()
            .await
            .map_err(Error::unavailable)?;
        Ok(DeltaFeed { pull: Box::new(pull) })
    }
}

/// Session changes as they are stored. Ends with its first error; the reader goes on with a new one.
pub struct DeltaFeed {
    pull: Box<pull::Stream>,
}

impl DeltaFeed {
    /// The next message; may be cancelled at any time. Sequences follow each other without a gap, unless what lies between
    /// has aged out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when NATS was away, or has lost the stream.
    pub async fn next(&mut self) -> Result<PositionedDeltas, Error> {
        match self.pull.next().await {
            Some(Ok(message)) => positioned(&message),
            Some(Err(error)) => Err(Error::unavailable(error)),
            None => Err(Error::unavailable("the feed has ended")),
        }
    }
}

fn positioned(message: &jetstream::Message) -> Result<PositionedDeltas, Error> {
    let info = message.info().map_err(Error::unavailable)?;
    // A message that is none of ours still has a place.
    let deltas = SessionDeltas::decode(message.payload.clone())
        .inspect_err(|error| tracing::warn!(subject = %message.subject, %error, "a message cannot be decoded"))
        .unwrap_or_default();
    Ok(PositionedDeltas {
        sequence: info.stream_sequence,
        stored_at: info.published,
        deltas,
    })
}
