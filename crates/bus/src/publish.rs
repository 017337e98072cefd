use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use prost::Message;

use crate::proto::{RejectedBatch, TelemetryBatch};
use crate::{Bus, EncodedRequest, PublishError, encoded, trace};

/// Room for headers and protocol in the largest message.
const HEADER_ROOM: usize = 4 << 10;

impl Bus {
    /// Stores a batch of events in the telemetry stream. Resolves when JetStream has acknowledged it.
    pub async fn publish_telemetry(&self, batch: &TelemetryBatch) -> Result<(), PublishError> {
        self.store(self.names.telemetry_events(), batch.encode_to_vec().into())
            .await
    }

    /// [`Self::publish_telemetry`] for requests that are encoded already; they become one message.
    pub async fn publish_requests<'a>(
        &self,
        requests: impl ExactSizeIterator<Item = &'a EncodedRequest> + Clone,
    ) -> Result<(), PublishError> {
        self.store(self.names.telemetry_events(), encoded::join(requests)).await
    }

    /// Stores refused events in the stream of rejected events. Resolves when JetStream has acknowledged them.
    pub async fn publish_rejected(&self, batch: &RejectedBatch) -> Result<(), PublishError> {
        self.store(self.names.telemetry_rejected(), batch.encode_to_vec().into())
            .await
    }

    async fn store(&self, subject: String, payload: Bytes) -> Result<(), PublishError> {
        let limit = self.max_payload().saturating_sub(HEADER_ROOM);
        if payload.len() > limit {
            return Err(PublishError::TooLarge {
                size: payload.len(),
                limit,
            });
        }
        // Without a connection the client would keep the message and send it long after the caller has given up.
        if !self.is_connected() {
            return Err(PublishError::unavailable("not connected"));
        }
        // An acknowledgement cannot arrive over a connection that is gone, so do not sit out the timeout.
        let mut disconnects = self.disconnects.clone();
        disconnects.mark_unchanged();
        tokio::select! {
            outcome = self.publish_and_wait(subject, payload) => outcome,
            _ = disconnects.changed() => Err(PublishError::unavailable("the connection was lost before the acknowledgement")),
        }
    }

    async fn publish_and_wait(&self, subject: String, payload: Bytes) -> Result<(), PublishError> {
        let mut message = PublishMessage::build().payload(payload);
        if let Some(headers) = trace::current_headers() {
            message = message.headers(headers);
        }
        // The first await sends, the second is the acknowledgement.
        let acknowledgement = self
            .jetstream
            .send_publish(subject, message)
            .await
            .map_err(PublishError::of)?;
        acknowledgement.await.map(|_| ()).map_err(PublishError::of)
    }
}
