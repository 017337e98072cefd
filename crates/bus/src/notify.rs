//! Core NATS: answers, revocations and commands that wait. Whoever does not listen misses them.

use futures_util::{Stream, StreamExt};
use prost::Message;

use crate::proto::{ApiKeyRevoked, CommandsWaiting, RequestOutcomes};
use crate::{Bus, Error, trace};

impl Bus {
    /// Tells the ingest behind `reply_subject` what became of its requests.
    pub async fn publish_outcomes(&self, reply_subject: &str, outcomes: &RequestOutcomes) -> Result<(), Error> {
        self.notify(reply_subject.to_owned(), outcomes).await
    }

    /// The subject to name as `reply_subject` in requests, and the outcomes that arrive there.
    pub async fn subscribe_outcomes(
        &self,
        instance: &str,
    ) -> Result<(String, impl Stream<Item = RequestOutcomes> + Send + Unpin + use<>), Error> {
        let subject = self.names.outcome(instance);
        let outcomes = self.listen(subject.clone()).await?;
        Ok((subject, outcomes))
    }

    /// Tells every ingest that this key is no longer valid. Call after the revocation is committed.
    pub async fn publish_api_key_revoked(&self, key_id: &str) -> Result<(), Error> {
        self.notify(
            self.names.revoked_api_key(),
            &ApiKeyRevoked {
                key_id: key_id.to_owned(),
            },
        )
        .await?;
        // A command line ends right after this.
        self.client.flush().await.map_err(Error::unavailable)
    }

    /// The keys that are revoked from now on, by key id.
    pub async fn subscribe_api_key_revoked(&self) -> Result<impl Stream<Item = String> + Send + Unpin + use<>, Error> {
        let revocations = self.listen::<ApiKeyRevoked>(self.names.revoked_api_key()).await?;
        Ok(revocations.map(|revocation| revocation.key_id))
    }

    /// Wakes the polls of these VPN servers' agents. Call after what they shall find is committed. Lost is late, not lost.
    pub async fn publish_commands_waiting(&self, server_keys: Vec<i32>) -> Result<(), Error> {
        if !self.is_connected() {
            // It would be kept and sent long after they have found it by themselves.
            return Err(Error::unavailable("not connected"));
        }
        self.notify(self.names.commands_waiting(), &CommandsWaiting { server_keys })
            .await
    }

    /// The VPN servers whose agents have something to fetch from now on.
    pub async fn subscribe_commands_waiting(
        &self,
    ) -> Result<impl Stream<Item = Vec<i32>> + Send + Unpin + use<>, Error> {
        let waiting = self.listen::<CommandsWaiting>(self.names.commands_waiting()).await?;
        Ok(waiting.map(|waiting| waiting.server_keys))
    }

    pub(crate) async fn notify(&self, subject: String, message: &impl Message) -> Result<(), Error> {
        let payload = message.encode_to_vec().into();
        match trace::current_headers() {
            Some(headers) => self.client.publish_with_headers(subject, headers, payload).await,
            None => self.client.publish(subject, payload).await,
        }
        .map_err(Error::unavailable)
    }

    /// Subscribed when this returns; survives reconnections, but not what was sent in between.
    pub(crate) async fn listen<M: Message + Default>(
        &self,
        subject: String,
    ) -> Result<impl Stream<Item = M> + Send + Unpin + use<M>, Error> {
        let messages = self.client.subscribe(subject).await.map_err(Error::unavailable)?;
        self.client.flush().await.map_err(Error::unavailable)?;
        Ok(messages.filter_map(|message| {
            let decoded = M::decode(message.payload.clone())
                .inspect_err(|error| tracing::warn!(subject = %message.subject, %error, "a message cannot be decoded"));
            std::future::ready(decoded.ok())
        }))
    }
}
