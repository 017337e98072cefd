//! From the events of a request to what is stored: requests for the processor, and rejected events.

use bus::EncodedRequest;
use bus::proto::{self, AgentRequest, RejectedEvent};
use domain::wire::{EventError, EventsRequest, Rejection};
use prost::Message;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::agent_key::Agent;

/// Room in a message for what stands around an event.
const FRAME: usize = 4 << 10;

/// What is the same for all parts of a request.
pub(crate) struct Envelope<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) received_at: OffsetDateTime,
    pub(crate) sent_at: Option<OffsetDateTime>,
    pub(crate) boot_id: Option<Uuid>,
    pub(crate) reply_subject: &'a str,
    pub(crate) traceparent: Option<String>,
}

/// How large parts and events may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartLimits {
    pub(crate) max_events: usize,
    /// Size that a part with several events stays below, bytes.
    pub(crate) max_bytes: usize,
    /// Size that no event may exceed, bytes: the largest message of the bus.
    pub(crate) max_event_bytes: usize,
}

impl Envelope<'_> {
    /// One part of the request with these events.
    pub(crate) fn request(&self, part_id: Uuid, events: Vec<proto::Event>) -> AgentRequest {
        AgentRequest {
            request_id: part_id.as_bytes().to_vec(),
            server_key: self.agent.server_key,
            server_name: self.agent.server_name.clone(),
            boot_id: self.boot_id.map(|id| id.as_bytes().to_vec()),
            sent_at_us: self.sent_at.map(bus::micros_from_time),
            received_at_us: bus::micros_from_time(self.received_at),
            reply_subject: self.reply_subject.to_owned(),
            events,
            heartbeat: None,
            inventory: None,
            rejected_seqs: Vec::new(),
            traceparent: self.traceparent.clone().unwrap_or_default(),
        }
    }

    /// The parts of a request; none when there is nothing to tell the processor. `new_id` gives each part its id.
    pub(crate) fn parts(
        &self,
        events: Vec<proto::Event>,
        rejected_seqs: Vec<u64>,
        limits: PartLimits,
        mut new_id: impl FnMut() -> Uuid,
    ) -> (Vec<Uuid>, Vec<EncodedRequest>) {
        let mut parts = split(events, limits);
        if parts.is_empty() && !rejected_seqs.is_empty() {
            parts.push(Vec::new());
        }
        let mut rejected_seqs = Some(rejected_seqs);
        parts
            .into_iter()
            .map(|events| {
                let id = new_id();
                let mut request = self.request(id, events);
                request.rejected_seqs = rejected_seqs.take().unwrap_or_default();
                (id, EncodedRequest::new(&request))
            })
            .unzip()
    }

    /// A rejected event as the dead letters keep it. Its id follows from its content, so that sending the same bad event
    /// again does not make another dead letter.
    pub(crate) fn rejected(&self, rejection: &Rejection, request_id: &str) -> RejectedEvent {
        let identity = format!(
            "{}/{}/{}",
            self.agent.server_key,
            rejection.error.as_str(),
            rejection.event_json
        );
        RejectedEvent {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, identity.as_bytes())
                .as_bytes()
                .to_vec(),
            server_key: self.agent.server_key,
            server_name: self.agent.server_name.clone(),
            received_at_us: bus::micros_from_time(self.received_at),
            event_id: rejection.event_id.clone().unwrap_or_default(),
            error: rejection.error.as_str().to_owned(),
            detail: rejection.detail.clone(),
            event_json: rejection.event_json.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

fn split(events: Vec<proto::Event>, limits: PartLimits) -> Vec<Vec<proto::Event>> {
    let mut parts: Vec<Vec<proto::Event>> = Vec::new();
    let mut bytes = 0;
    for event in events {
        let size = event.encoded_len();
        match parts.last_mut() {
            Some(part) if part.len() < limits.max_events && bytes + size <= limits.max_bytes => {
                part.push(event);
                bytes += size;
            }
            _ => {
                parts.push(vec![event]);
                bytes = size;
            }
        }
    }
    parts
}

/// The acceptable events as bus messages; those that no message can hold are rejected after all.
pub(crate) fn encode_events(request: &mut EventsRequest, limits: PartLimits) -> Vec<proto::Event> {
    let max_bytes = limits.max_event_bytes.saturating_sub(FRAME);
    let encoded: Vec<proto::Event> = std::mem::take(&mut request.events)
        .into_iter()
        .map(Into::into)
        .collect();
    if encoded.iter().all(|event| event.encoded_len() <= max_bytes) {
        return encoded;
    }
    let positions: Vec<usize> = (0..encoded.len()).map(|accepted| request.index_of(accepted)).collect();
    let mut kept = Vec::with_capacity(encoded.len());
    for (event, index) in encoded.into_iter().zip(positions) {
        if event.encoded_len() <= max_bytes {
            kept.push(event);
        } else {
            request.rejected.push(too_large(&event, index, max_bytes));
        }
    }
    request.rejected.sort_by_key(|rejection| rejection.index);
    kept
}

/// Only a snapshot can be that large: all other fields are bounded.
fn too_large(event: &proto::Event, index: usize, max_bytes: usize) -> Rejection {
    let event_id = Uuid::from_slice(&event.event_id).unwrap_or_default().to_string();
    let (count, size) = (event.sessions.len(), event.encoded_len());
    Rejection {
        index,
        seq: event.seq,
        error: EventError::InvalidSessions,
        detail: format!("The snapshot of {count} sessions takes {size} bytes, at most {max_bytes} are accepted."),
        event_json: format!(r#"{{"event_id":"{event_id}","type":"SESSION_SNAPSHOT","sessions":"{count} of them"}}"#),
        event_id: Some(event_id),
    }
}

/// The ids of the accepted events in their order, to find the processor's refusals again.
pub(crate) fn ids(events: &[proto::Event]) -> Vec<Uuid> {
    events
        .iter()
        .map(|event| Uuid::from_slice(&event.event_id).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PartLimits = PartLimits {
        max_events: 3,
        max_bytes: 1_000,
        max_event_bytes: 100_000,
    };

    fn event(size: usize) -> proto::Event {
        proto::Event {
            event_id: vec![0; size],
            ..Default::default()
        }
    }

    fn sizes(events: Vec<proto::Event>) -> Vec<usize> {
        split(events, LIMITS).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_small_request_is_one_part() {
        assert_eq!(sizes(vec![event(16); 3]), [3]);
        assert_eq!(sizes(Vec::new()), [0; 0]);
    }

    #[test]
    fn a_request_is_split_by_count_and_by_size() {
        assert_eq!(sizes(vec![event(16); 7]), [3, 3, 1]);
        assert_eq!(sizes(vec![event(400), event(400), event(400), event(5_000)]), [2, 1, 1]);
    }
}
