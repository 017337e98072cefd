use std::ops::Range;

use bus::proto::{RejectedBatch, RejectedEvent};
use bus::{Bus, EncodedRequest};
use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::{Job, StoreError};
use crate::config::Limits;
use crate::memory::Reservation;

type Stored = Result<(), StoreError>;

/// Jobs that are published together, laid out in messages.
pub(super) struct Group {
    messages: Messages<EncodedRequest>,
    rejected: Messages<RejectedEvent>,
    members: Vec<Member>,
    events: usize,
}

/// One job: the messages it is in, and who waits for it.
struct Member {
    messages: Range<usize>,
    rejected: Range<usize>,
    done: oneshot::Sender<Stored>,
    _memory: Reservation,
}

impl Group {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            messages: Messages::new(limits.ingest_message_max_events, limits.ingest_message_max_bytes),
            rejected: Messages::new(limits.ingest_message_max_events, limits.ingest_message_max_bytes),
            members: Vec::new(),
            events: 0,
        }
    }

    pub(super) fn add(&mut self, job: Job) {
        self.events += job.parts.iter().map(EncodedRequest::events).sum::<usize>();
        let messages = self.messages.add(job.parts, |part| (part.events(), part.size()));
        let rejected = self.rejected.add(job.rejected, |event| (1, rejected_size(event)));
        self.members.push(Member {
            messages,
            rejected,
            done: job.done,
            _memory: job.memory,
        });
    }

    /// Waiting longer would not make its message larger.
    pub(super) fn is_full(&self) -> bool {
        self.messages.is_full() || self.rejected.is_full()
    }

    pub(super) fn requests(&self) -> usize {
        self.members.len()
    }

    pub(super) fn events(&self) -> usize {
        self.events
    }

    /// Publishes everything, waits for every acknowledgement and tells every job how its own messages went.
    pub(super) async fn store(self, bus: &Bus) {
        let telemetry = join_all(
            self.messages
                .list
                .iter()
                .map(async |requests| bus.publish_requests(requests.iter()).await.map_err(StoreError::from)),
        );
        let rejected = join_all(self.rejected.list.into_iter().map(async |events| {
            bus.publish_rejected(&RejectedBatch { events })
                .await
                .map_err(StoreError::from)
        }));
        let (telemetry, rejected) = tokio::join!(telemetry, rejected);
        for member in self.members {
            let own = telemetry[member.messages].iter().chain(&rejected[member.rejected]);
            // The request may be gone; what it sent is stored all the same.
            let _ = member.done.send(own.copied().collect());
        }
    }
}

/// Items laid out in messages of bounded size; an item that is larger alone has a message of its own.
struct Messages<T> {
    list: Vec<Vec<T>>,
    last_events: usize,
    last_bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl<T> Messages<T> {
    fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            list: Vec::new(),
            last_events: 0,
            last_bytes: 0,
            max_events,
            max_bytes,
        }
    }

    /// Adds items and answers the messages they are in.
    fn add(&mut self, items: Vec<T>, measure: impl Fn(&T) -> (usize, usize)) -> Range<usize> {
        let mut first = None;
        for item in items {
            let (events, bytes) = measure(&item);
            let message = self.message_for(events, bytes);
            self.list[message].push(item);
            first.get_or_insert(message);
        }
        first.map_or(0..0, |first| first..self.list.len())
    }

    fn message_for(&mut self, events: usize, bytes: usize) -> usize {
        let fits = self.last_events + events <= self.max_events && self.last_bytes + bytes <= self.max_bytes;
        if self.list.is_empty() || !fits {
            self.list.push(Vec::new());
            (self.last_events, self.last_bytes) = (0, 0);
        }
        self.last_events += events;
        self.last_bytes += bytes;
        self.list.len() - 1
    }

    fn is_full(&self) -> bool {
        self.list.len() > 1 || self.last_events >= self.max_events || self.last_bytes >= self.max_bytes
    }
}

fn rejected_size(event: &RejectedEvent) -> usize {
    const FIXED: usize = 100;
    FIXED
        + event.event_json.len()
        + event.detail.len()
        + event.event_id.len()
        + event.server_name.len()
        + event.request_id.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay_out(items: &[usize]) -> (Vec<Vec<usize>>, Vec<Range<usize>>) {
        let mut messages = Messages::new(3, 100);
        let ranges = items
            .iter()
            .map(|bytes| messages.add(vec![*bytes], |bytes| (1, *bytes)))
            .collect();
        (messages.list, ranges)
    }

    #[test]
    fn items_share_a_message_until_it_is_full() {
        let (list, ranges) = lay_out(&[40, 40, 40, 10, 10, 10]);
        assert_eq!(list, [vec![40, 40], vec![40, 10, 10], vec![10]]);
        assert_eq!(ranges, [0..1, 0..1, 1..2, 1..2, 1..2, 2..3]);
    }

    #[test]
    fn an_item_that_is_too_large_has_a_message_of_its_own() {
        assert_eq!(lay_out(&[10, 500, 10]).0, [vec![10], vec![500], vec![10]]);
    }

    #[test]
    fn a_job_of_several_items_knows_all_its_messages() {
        let mut messages = Messages::new(3, 100);
        assert_eq!(messages.add(vec![10, 10], |bytes| (1, *bytes)), 0..1);
        assert_eq!(messages.add(vec![10, 90, 90], |bytes| (1, *bytes)), 0..3);
        assert_eq!(messages.add(Vec::new(), |bytes| (1, *bytes)), 0..0);
    }
}
