//! `POST /api/v1/events`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use domain::wire::{self, EventsRequest};
use service_kit::{Problem, ProblemBody, RequestId, clock};
use uuid::Uuid;

use crate::State;
use crate::agent_key::Agent;
use crate::answer::{EventProblem, EventsAccepted, EventsProcessed, bad_body, nothing_acceptable};
use crate::body::{self, Body};
use crate::documented::EventsBody;
use crate::intake::{self, Envelope};
use crate::outcomes::Outcome;
use crate::preference::{PREFERENCE_APPLIED, RESPOND_ASYNC, wants_async};
use crate::store::{Stored, Submission};

/// Send events. Each is accepted or refused on its own; what is accepted is stored before the answer, and never lost.
#[utoipa::path(
    operation_id = "post_events",
    tag = "agent",
    request_body(content = EventsBody, content_type = "application/json"),
    params(
        ("Content-Encoding" = Option<String>, Header, description = "`zstd` or `gzip`"),
        ("Prefer" = Option<String>, Header, description = "`respond-async`: answer 202 as soon as the events are stored"),
    ),
    responses(
        (status = 200, description = "Processed; events that are not acceptable are under `errors`", body = EventsProcessed),
        (status = 202, description = "Stored, to be processed: asked for, or the counts did not come in time", body = EventsAccepted),
        (status = 400, description = "Not JSON of this shape, or cut off", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_api_key`: missing, malformed, unknown or revoked", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`wrong_server_id`: the key belongs to another VPN server", body = ProblemBody, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "Body or number of events over the limit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Content type or encoding is not accepted", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No event is acceptable; `errors` says why", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Over the VPN server's rate; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not stored; send the same again after `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []))
)]
#[post("/api/v1/events")]
pub(crate) async fn post_events(
    state: Data<State>,
    agent: Agent,
    http: HttpRequest,
    request_id: RequestId,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let Body { bytes, memory } = body::read(&state, &http, payload).await?;
    let received_at = clock::now();
    let mut request =
        wire::parse_events(&bytes, received_at, state.limits.ingest_max_events).map_err(|error| bad_body(&error))?;
    drop(bytes);
    agent.must_be(&request.server_id)?;
    state.rates.take_many(&agent.server_key, request.received)?;

    let events = intake::encode_events(&mut request, state.part_limits());
    let ids = intake::ids(&events);
    let respond_async = wants_async(&http) || events.is_empty();
    let envelope = Envelope {
        agent: &agent,
        received_at,
        sent_at: request.sent_at,
        boot_id: request.boot_id,
        reply_subject: if respond_async { "" } else { &state.reply_subject },
        traceparent: service_kit::trace::current_traceparent(),
    };
    let accepted = events.len();
    let rejected_seqs = request.rejected.iter().filter_map(|rejection| rejection.seq).collect();
    let (part_ids, parts) = envelope.parts(events, rejected_seqs, state.part_limits(), clock::new_id);
    let rejected = request
        .rejected
        .iter()
        .map(|rejection| envelope.rejected(rejection, request_id.as_str()))
        .collect();
    let submission = Submission {
        part_ids,
        parts,
        rejected,
        memory,
        wait: !respond_async,
    };

    let stored = state.store(submission).await?;
    count(&request, accepted);
    answer(request, &ids, accepted, stored, wants_async(&http))
}

fn count(request: &EventsRequest, accepted: usize) {
    metrics::counter!("ingest_events_accepted_total").increment(accepted as u64);
    for rejection in &request.rejected {
        metrics::counter!("ingest_events_rejected_total", "error" => rejection.error.as_str()).increment(1);
    }
}

fn answer(
    mut request: EventsRequest,
    ids: &[Uuid],
    accepted: usize,
    stored: Stored,
    asked_async: bool,
) -> Result<HttpResponse, Problem> {
    let received = request.received;
    let refused = match &stored {
        Stored::Processed(outcome) => refused_later(&request, ids, outcome),
        Stored::Accepted => Vec::new(),
    };
    let rejected = std::mem::take(&mut request.rejected);
    let accepted = accepted.saturating_sub(refused.len());
    let mut errors: Vec<EventProblem> = rejected.into_iter().map(Into::into).chain(refused).collect();
    errors.sort_by_key(|problem| problem.index);
    if accepted == 0 && received > 0 {
        return Err(nothing_acceptable(received, &errors));
    }
    Ok(match stored {
        Stored::Processed(outcome) => processed(received, accepted, &outcome, errors),
        // An empty request is processed as soon as it is read.
        Stored::Accepted if received == 0 && !asked_async => processed(0, 0, &Outcome::default(), errors),
        Stored::Accepted => {
            let body = EventsAccepted {
                status: "accepted",
                events_received: received,
                events_accepted: accepted,
                errors,
            };
            let mut response = HttpResponse::Accepted();
            if asked_async {
                response.insert_header((PREFERENCE_APPLIED, RESPOND_ASYNC));
            }
            response.json(body)
        }
    })
}

fn processed(received: usize, accepted: usize, outcome: &Outcome, errors: Vec<EventProblem>) -> HttpResponse {
    HttpResponse::Ok().json(EventsProcessed {
        status: "ok",
        events_received: received,
        events_accepted: accepted,
        sessions_created: outcome.sessions_created,
        sessions_updated: outcome.sessions_updated,
        duplicates: outcome.duplicates,
        errors,
    })
}

/// What the processor refused although it looked acceptable, with its position in the body.
fn refused_later(request: &EventsRequest, ids: &[Uuid], outcome: &Outcome) -> Vec<EventProblem> {
    let problem = |refused: &bus::proto::RefusedEvent| {
        let event_id = Uuid::from_slice(&refused.event_id).unwrap_or_default();
        let accepted = ids.iter().position(|id| *id == event_id)?;
        Some(EventProblem {
            index: request.index_of(accepted),
            event_id: Some(event_id.to_string()),
            error: refused.error.clone(),
            detail: refused.detail.clone(),
        })
    };
    outcome.refused.iter().filter_map(problem).collect()
}
