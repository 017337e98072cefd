use std::error::Error as StdError;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError as NatsPublishError, PublishErrorKind};

type Source = Box<dyn StdError + Send + Sync>;

/// Why the bus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("bus_namespace {0:?} must be 1 to 32 letters, digits, '-' or '_'")]
    Namespace(String),
    #[error("NATS is not reachable")]
    Unavailable(#[source] Source),
    /// The live stream is not the declared one; starting anyway could lose events.
    #[error("stream {stream} differs from its declaration: {differences}")]
    StreamDiffers { stream: String, differences: String },
    #[error("consumer {consumer} of stream {stream} differs from its declaration: {differences}")]
    ConsumerDiffers {
        stream: String,
        consumer: String,
        differences: String,
    },
    #[error("stream {stream} cannot be created")]
    StreamRefused { stream: String, source: Source },
}

impl Error {
    pub(crate) fn unavailable(error: impl Into<Source>) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Why a message is not known to be stored. It may be stored all the same: publish it again, readers know duplicates.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("JetStream is not available")]
    Unavailable(#[source] Source),
    #[error("the stream is full")]
    Full(#[source] Source),
    #[error("a message of {size} bytes is larger than the {limit} bytes NATS takes")]
    TooLarge { size: usize, limit: usize },
}

impl PublishError {
    pub(crate) fn unavailable(error: impl Into<Source>) -> Self {
        Self::Unavailable(error.into())
    }

    pub(crate) fn of(error: NatsPublishError) -> Self {
        if error.kind() == PublishErrorKind::Other && is_full(&error) {
            return Self::Full(error.into());
        }
        Self::Unavailable(error.into())
    }
}

/// Discard-new refusals and exhausted storage; both end when the processor catches up or an operator makes room.
fn is_full(error: &NatsPublishError) -> bool {
    let Some(refusal) = error
        .source()
        .and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>())
    else {
        return false;
    };
    match refusal.error_code() {
        ErrorCode::STREAM_STORE_FAILED => {
            let text = refusal.to_string();
            text.contains("maximum") || text.contains("no space")
        }
        ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED => true,
        _ => false,
    }
}
