//! Revoked access of portal users, on core NATS: the denylist in Redis is what counts, this makes it fast.

use std::time::Duration;

use domain::revocation::Revocation;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;
use uuid::Uuid;

use crate::proto::access_revoked::Tokens;
use crate::proto::{AccessRevoked, PortalUserTokens};
use crate::{Bus, Error};

const SENT_WITHIN: Duration = Duration::from_secs(1);

impl Bus {
    /// Tells every service that these tokens are no longer valid. Call after the revocation is committed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when NATS did not take it.
    pub async fn publish_access_revoked(&self, revocation: Revocation) -> Result<(), Error> {
        if !self.is_connected() {
            // It would be kept and sent after the next connection, and the caller should know.
            return Err(Error::unavailable("not connected"));
        }
        self.notify(self.names.revoked_access(), &AccessRevoked::from(revocation))
            .await?;
        // A connection that breaks now would keep it waiting.
        timeout(SENT_WITHIN, self.client.flush())
            .await
            .map_err(Error::unavailable)?
            .map_err(Error::unavailable)
    }

    /// What is revoked from now on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when NATS does not answer.
    pub async fn subscribe_access_revoked(
        &self,
    ) -> Result<impl Stream<Item = Revocation> + Send + Unpin + use<>, Error> {
        let messages = self.listen::<AccessRevoked>(self.names.revoked_access()).await?;
        Ok(messages.filter_map(|message| {
            let revocation = revocation(message.tokens.as_ref());
            if revocation.is_none() {
                tracing::warn!(?message, "a revocation says nothing that can be understood");
            }
            std::future::ready(revocation)
        }))
    }
}

impl From<Revocation> for AccessRevoked {
    fn from(revocation: Revocation) -> Self {
        let tokens = match revocation {
            Revocation::PortalSession(id) => Tokens::PortalSessionId(id.as_bytes().to_vec()),
            Revocation::PortalUser { id, token_version } => Tokens::PortalUser(PortalUserTokens {
                portal_user_id: id,
                token_version,
            }),
        };
        Self { tokens: Some(tokens) }
    }
}

fn revocation(tokens: Option<&Tokens>) -> Option<Revocation> {
    Some(match tokens? {
        Tokens::PortalSessionId(id) => Revocation::PortalSession(Uuid::from_slice(id).ok()?),
        Tokens::PortalUser(user) => Revocation::PortalUser {
            id: user.portal_user_id,
            token_version: user.token_version,
        },
    })
}
