use bytes::{Bytes, BytesMut};
use prost::encoding::message;

use crate::proto::AgentRequest;

/// Number of `TelemetryBatch.requests`.
const REQUESTS_FIELD: u32 = 1;

/// An [`AgentRequest`] as it stands inside an encoded [`TelemetryBatch`](crate::proto::TelemetryBatch): batches are made by joining these, so each
/// request is encoded once, where it arrived, and its share of the message is known exactly.
#[derive(Debug, Clone)]
pub struct EncodedRequest {
    bytes: Bytes,
    events: usize,
}

impl EncodedRequest {
    pub fn new(request: &AgentRequest) -> Self {
        let mut bytes = BytesMut::with_capacity(message::encoded_len(REQUESTS_FIELD, request));
        message::encode(REQUESTS_FIELD, request, &mut bytes);
        Self {
            bytes: bytes.freeze(),
            events: request.events.len(),
        }
    }

    /// Bytes it takes in a message.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub fn events(&self) -> usize {
        self.events
    }
}

/// The encoded `TelemetryBatch` of these requests.
pub(crate) fn join<'a>(requests: impl ExactSizeIterator<Item = &'a EncodedRequest> + Clone) -> Bytes {
    if requests.len() == 1
        && let Some(only) = requests.clone().next()
    {
        return only.bytes.clone();
    }
    let mut bytes = BytesMut::with_capacity(requests.clone().map(EncodedRequest::size).sum());
    for request in requests {
        bytes.extend_from_slice(&request.bytes);
    }
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::TelemetryBatch;

    #[test]
    fn joined_requests_are_the_encoded_batch() {
        let requests = ["a", "b", ""].map(|name| AgentRequest {
            server_name: name.to_owned(),
            ..Default::default()
        });
        for count in 0..=requests.len() {
            let encoded: Vec<_> = requests[..count].iter().map(EncodedRequest::new).collect();
            let batch = TelemetryBatch {
                requests: requests[..count].to_vec(),
            };
            assert_eq!(join(encoded.iter()), batch.encode_to_vec());
        }
    }
}
