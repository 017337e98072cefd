//! What others are told after the commit: the waiting ingest, realtime subscribers, the live cache, the dead letters.

use std::collections::{BTreeMap, HashMap};

use bus::proto::{
    DeltaKind, RefusedEvent, RejectedBatch, RejectedEvent, RequestOutcome, RequestOutcomes, SessionDelta,
    SessionDeltas, TelemetryBatch,
};
use bus::{Message, PublishError, micros_from_time};
use db::apply::{ChangeKind, Outcome, Request, SessionChange};
use domain::time_format;
use domain::wire::MAX_REJECTED_JSON;
use uuid::Uuid;

use crate::State;
use crate::decode::Reply;
use crate::live_session::Told;

/// The error code of events that the database refuses.
const REFUSED: &str = "refused_by_database";
/// Dead letters of one message: each has at most [`MAX_REJECTED_JSON`] of its event, a message at most about 1 MB.
const LETTERS: usize = 32;
/// Sessions of one message to realtime subscribers, each up to about 4 kB.
const DELTAS: usize = 200;

/// An event that stands alone in being refused by the database.
#[derive(Debug)]
pub(crate) struct Refused {
    request: Request,
    detail: String,
}

impl Refused {
    pub(crate) fn new(request: Request, detail: &str) -> Self {
        Self {
            request,
            detail: detail.to_owned(),
        }
    }

    fn event_id(&self) -> Uuid {
        self.request
            .events
            .first()
            .map(|event| event.event_id)
            .unwrap_or_default()
    }

    fn answer(&self) -> RefusedEvent {
        RefusedEvent {
            event_id: self.event_id().as_bytes().to_vec(),
            error: REFUSED.to_owned(),
            detail: self.detail.clone(),
        }
    }

    /// Cut: a snapshot may list any number of sessions.
    fn event_json(&self) -> String {
        let event = self.request.events.first().map(|event| {
            serde_json::json!({
                "event_id": event.event_id,
                "seq": event.seq,
                "type": event.event_type,
                "event_time_vpn": time_format::format_millis(event.event_time),
                "sessions": event.sessions,
            })
        });
        let mut json = event.map(|event| event.to_string()).unwrap_or_default();
        json.truncate(json.floor_char_boundary(MAX_REJECTED_JSON));
        json
    }

    fn letter(&self) -> RejectedEvent {
        RejectedEvent {
            // Derived, so that a redelivered message does not dead-letter its event twice.
            id: Uuid::new_v5(&self.request.request_id, self.event_id().as_bytes())
                .as_bytes()
                .to_vec(),
            server_key: self.request.server_id,
            server_name: self.request.server_name.clone(),
            received_at_us: micros_from_time(self.request.received_at),
            event_id: self.event_id().to_string(),
            error: REFUSED.to_owned(),
            detail: self.detail.clone(),
            event_json: self.event_json(),
            request_id: self.request.request_id.to_string(),
        }
    }
}

/// Sends refused events to the dead letters.
///
/// # Errors
/// They are not stored; the batch must come again.
pub(crate) async fn refused(state: &State, refused: &[Refused]) -> Result<(), PublishError> {
    for one in refused {
        tracing::warn!(event_id = %one.event_id(), server = one.request.server_name, detail = one.detail, "the database refused an event");
    }
    for letters in refused.chunks(LETTERS) {
        let events = letters.iter().map(Refused::letter).collect();
        state.bus.publish_rejected(&RejectedBatch { events }).await?;
    }
    Ok(())
}

/// A message that is none of ours would come again for ever: kept as a dead letter instead.
///
/// # Errors
/// It is not kept; the message must come again.
pub(crate) async fn undecodable(
    state: &State,
    message: &Message<TelemetryBatch>,
    reason: &str,
) -> Result<(), PublishError> {
    tracing::error!(
        sequence = message.sequence(),
        reason,
        "a message of the telemetry stream cannot be read"
    );
    metrics::counter!("processor_messages_undecodable_total").increment(1);
    let letter = RejectedEvent {
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, message.payload())
            .as_bytes()
            .to_vec(),
        received_at_us: micros_from_time(service_kit::clock::now()),
        error: "undecodable_message".to_owned(),
        detail: reason.to_owned(),
        event_json: format!(
            "{} bytes, stream sequence {}",
            message.payload().len(),
            message.sequence()
        ),
        ..RejectedEvent::default()
    };
    let batch = RejectedBatch { events: vec![letter] };
    state.bus.publish_rejected(&batch).await
}

/// Answers the ingests that wait. Lost answers cost nothing but a 202 in place of a 200.
pub(crate) async fn outcomes(state: &State, replies: &[Reply], outcomes: &HashMap<Uuid, Outcome>, refused: &[Refused]) {
    let mut by_subject: BTreeMap<&str, Vec<RequestOutcome>> = BTreeMap::new();
    for reply in replies.iter().filter(|reply| !reply.subject.is_empty()) {
        let id = reply.request_id;
        let outcome = outcomes.get(&id).copied().unwrap_or_default();
        let refused = refused.iter().filter(|refused| refused.request.request_id == id);
        by_subject.entry(&reply.subject).or_default().push(RequestOutcome {
            request_id: id.as_bytes().to_vec(),
            sessions_created: outcome.sessions_created,
            sessions_updated: outcome.sessions_updated,
            duplicates: outcome.duplicates,
            refused: refused.map(Refused::answer).collect(),
        });
    }
    for (subject, outcomes) in by_subject {
        if let Err(error) = state.bus.publish_outcomes(subject, &RequestOutcomes { outcomes }).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "an ingest was not told what became of its requests"
            );
        }
    }
}

/// Tells realtime subscribers and the live cache. Both keep the highest version of a session.
pub(crate) async fn changes(state: &State, changes: &[SessionChange]) {
    if changes.is_empty() {
        return;
    }
    let sessions: Vec<Told> = changes.iter().map(Told::of).collect();
    // The cache first: whoever reads it after a change was published finds that change in it.
    state.live.update(&sessions).await;
    if let Err(error) = state.bus.publish_deltas(&deltas(sessions)).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "realtime subscribers were not told of changes"
        );
    }
}

/// Messages of at most [`DELTAS`] sessions of one server.
fn deltas(sessions: Vec<Told>) -> Vec<SessionDeltas> {
    let mut by_server: BTreeMap<String, Vec<SessionDeltas>> = BTreeMap::new();
    for told in sessions {
        let delta = SessionDelta {
            kind: delta_kind(told.kind).into(),
            session_id: told.session.id.as_bytes().to_vec(),
            version: u32::try_from(told.session.version).unwrap_or_default(),
            session_json: told.json,
        };
        let server_name = told.session.server_instance;
        let messages = by_server.entry(server_name.clone()).or_default();
        match messages.last_mut().filter(|message| message.sessions.len() < DELTAS) {
            Some(message) => message.sessions.push(delta),
            None => messages.push(SessionDeltas {
                server_name,
                sessions: vec![delta],
            }),
        }
    }
    by_server.into_values().flatten().collect()
}

fn delta_kind(kind: ChangeKind) -> DeltaKind {
    match kind {
        ChangeKind::Connected => DeltaKind::Connected,
        ChangeKind::Updated => DeltaKind::Updated,
        ChangeKind::Disconnected => DeltaKind::Disconnected,
        ChangeKind::Withdrawn => DeltaKind::Withdrawn,
    }
}
