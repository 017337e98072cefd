//! One batch: apply, isolate what the database refuses, tell.

use std::collections::HashMap;
use std::time::Instant;

use bus::PublishError;
use db::Error;
use db::apply::{Applied, KnownUsers, Outcome, Request, SessionChange, apply};
use domain::event::Event;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::State;
use crate::decode::{Awaited, Reply};
use crate::publish::{self, Refused};

/// What the pieces of a batch came to.
#[derive(Default)]
struct Total {
    outcomes: HashMap<Uuid, Outcome>,
    changes: Vec<SessionChange>,
    refused: Vec<Refused>,
}

/// A batch that is in the database, and that nobody has been told of yet.
pub(crate) struct Committed {
    replies: Vec<Reply>,
    total: Total,
    redelivered: bool,
}

/// Applies requests in one transaction for each lane, if the database takes them all. `known` has one entry for each lane.
///
/// # Errors
/// The batch must come again; what other lanes have committed will be found applied then.
pub(crate) async fn commit(
    state: &State,
    awaited: Vec<Awaited>,
    known: &mut [KnownUsers],
    redelivered: bool,
) -> Result<Committed, Error> {
    let (requests, replies): (Vec<Request>, Vec<Reply>) = awaited.into_iter().map(Awaited::split).unzip();
    let events = requests.iter().map(|request| request.events.len()).sum();
    let started = Instant::now();
    let lanes = lanes(requests, known.len());
    let applied = lanes
        .into_iter()
        .zip(known)
        .map(|(requests, known)| apply_all(state, requests, known, redelivered));
    let mut total = Total::default();
    for lane in join_all(applied).await {
        total.merge(lane?);
    }
    measure(events, &total, started);
    Ok(Committed {
        replies,
        total,
        redelivered,
    })
}

impl Committed {
    /// Publishes what has changed; then the messages may be acknowledged.
    ///
    /// # Errors
    /// Refused events are not among the dead letters: the batch must come again.
    pub(crate) async fn tell(self, state: &State) -> Result<(), PublishError> {
        let Total {
            outcomes,
            changes,
            refused,
        } = self.total;
        publish::refused(state, &refused).await?;
        publish::outcomes(state, &self.replies, &outcomes, &refused).await;
        publish::changes(state, &changes).await;
        if self.redelivered {
            state.live.distrust();
        }
        Ok(())
    }
}

/// Servers are locked while their events are applied, so each lane has servers of its own.
fn lanes(requests: Vec<Request>, count: usize) -> Vec<Vec<Request>> {
    let mut lanes: Vec<Vec<Request>> = (0..count).map(|_| Vec::new()).collect();
    for request in requests {
        let lane = usize::try_from(request.server_id).unwrap_or_default() % count;
        lanes[lane].push(request);
    }
    lanes
}

fn measure(events: usize, total: &Total, started: Instant) {
    metrics::counter!("processor_events_total").increment(events as u64);
    metrics::counter!("processor_events_refused_total").increment(total.refused.len() as u64);
    metrics::counter!("processor_session_changes_total").increment(total.changes.len() as u64);
    metrics::histogram!("processor_batch_events_size").record(events as f64);
    metrics::histogram!("processor_batch_seconds").record(started.elapsed().as_secs_f64());
}

/// Applies pieces of a lane, halving what the database refuses until the single bad event stands alone.
async fn apply_all(
    state: &State,
    requests: Vec<Request>,
    known: &mut KnownUsers,
    redelivered: bool,
) -> Result<Total, Error> {
    let mut total = Total::default();
    let mut pieces = if requests.is_empty() {
        Vec::new()
    } else {
        vec![requests]
    };
    while let Some(piece) = pieces.pop() {
        match apply(&state.db, &piece, known, redelivered).await {
            Ok(applied) => total.add(&piece, applied),
            Err(Error::Refused(reason)) => match halve(piece) {
                Halved::Two(first, second) => pieces.extend([second, first]),
                Halved::Single(request) => {
                    pieces.extend(without_events(&request).map(|rest| vec![rest]));
                    total.refuse(*request, &describe(&reason));
                }
            },
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// What PostgreSQL says, without the layers in between.
fn describe(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

enum Halved {
    Two(Vec<Request>, Vec<Request>),
    Single(Box<Request>),
}

fn halve(mut requests: Vec<Request>) -> Halved {
    if requests.len() > 1 {
        let second = requests.split_off(requests.len() / 2);
        return Halved::Two(requests, second);
    }
    let mut request = requests.pop().expect("a piece holds at least one request");
    if request.events.len() <= 1 {
        return Halved::Single(Box::new(request));
    }
    let second: Vec<Event> = request.events.split_off(request.events.len() / 2);
    let rest = Request {
        events: second,
        rejected_seqs: Vec::new(),
        heartbeat: None,
        inventory: None,
        ..request.clone()
    };
    Halved::Two(vec![request], vec![rest])
}

/// What is left of a request whose single event is refused: that the event's number did arrive.
fn without_events(request: &Request) -> Option<Request> {
    let event = request.events.first()?;
    Some(Request {
        events: Vec::new(),
        rejected_seqs: request.rejected_seqs.iter().copied().chain(event.seq).collect(),
        ..request.clone()
    })
}

impl Total {
    /// Bare numbers of refused events say nothing that a dead letter could keep.
    fn refuse(&mut self, request: Request, reason: &str) {
        if request.events.is_empty() && request.heartbeat.is_none() && request.inventory.is_none() {
            tracing::warn!(
                server = request.server_name,
                reason,
                "the numbers of refused events are not kept"
            );
        } else {
            self.refused.push(Refused::new(request, reason));
        }
    }

    fn merge(&mut self, lane: Self) {
        // A request is one server's, so no two lanes know the same.
        self.outcomes.extend(lane.outcomes);
        self.changes.extend(lane.changes);
        self.refused.extend(lane.refused);
    }

    fn add(&mut self, requests: &[Request], applied: Applied) {
        for (request, outcome) in requests.iter().zip(applied.outcomes) {
            let sum = self.outcomes.entry(request.request_id).or_default();
            sum.sessions_created += outcome.sessions_created;
            sum.sessions_updated += outcome.sessions_updated;
            sum.duplicates += outcome.duplicates;
        }
        self.changes.extend(applied.changes);
        metrics::counter!("processor_tracks_replayed_total").increment(applied.replayed as u64);
    }
}
