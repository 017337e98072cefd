//! `PUT /api/v1/inventory`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, put};
use bus::EncodedRequest;
use domain::wire;
use service_kit::{Problem, ProblemBody, clock};

use crate::State;
use crate::agent_key::Agent;
use crate::answer::{InventoryAnswer, bad_body};
use crate::body::{self, Body};
use crate::documented::InventoryBody;
use crate::intake::Envelope;
use crate::preference::wants_async;
use crate::store::{Stored, Submission};

/// An entry is a row that is compared; an event is worth many of those.
const ENTRIES_OF_AN_EVENT: usize = 10;

/// Tell what a VPN server has in store for its VPN users.
#[utoipa::path(
    operation_id = "put_inventory",
    tag = "agent",
    request_body(content = InventoryBody, content_type = "application/json"),
    params(
        ("Content-Encoding" = Option<String>, Header, description = "`zstd` or `gzip`"),
        ("Prefer" = Option<String>, Header, description = "`respond-async`: answer 202 as soon as the inventory is stored"),
    ),
    responses(
        (status = 200, description = "Processed", body = InventoryAnswer),
        (status = 202, description = "Stored, to be processed", body = InventoryAnswer),
        (status = 400, description = "Not JSON of this shape, or a value that cannot be; nothing of it is taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_api_key`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`wrong_server_id`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body or the number of entries is over the limit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Content type or encoding is not accepted", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Over the VPN server's rate; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not stored; send the same again after `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []))
)]
#[put("/api/v1/inventory")]
pub(crate) async fn put_inventory(
    state: Data<State>,
    agent: Agent,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let Body { bytes, memory } = body::read(&state, &http, payload).await?;
    let received_at = clock::now();
    let request = wire::parse_inventory(&bytes, received_at, state.limits.ingest_max_inventory_entries)
        .map_err(|error| bad_body(&error))?;
    drop(bytes);
    agent.must_be(&request.server_id)?;
    let inventory = request.inventory;
    let entries = inventory.certificates.len() + inventory.ccds.len() + inventory.routes.len();
    state
        .rates
        .take_many(&agent.server_key, 1 + entries / ENTRIES_OF_AN_EVENT)?;

    let respond_async = wants_async(&http);
    let envelope = Envelope {
        agent: &agent,
        received_at,
        sent_at: request.sent_at,
        boot_id: None,
        reply_subject: if respond_async { "" } else { &state.reply_subject },
        traceparent: service_kit::trace::current_traceparent(),
    };
    let part_id = clock::new_id();
    let mut part = envelope.request(part_id, Vec::new());
    part.inventory = Some(inventory.into());
    let part = EncodedRequest::new(&part);
    // It is one message: half an inventory would take the other half away.
    if part.size() > state.max_message_bytes {
        let detail = format!(
            "The inventory takes {} bytes, a message has {}.",
            part.size(),
            state.max_message_bytes
        );
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail));
    }
    let submission = Submission {
        part_ids: vec![part_id],
        parts: vec![part],
        rejected: Vec::new(),
        memory,
        wait: !respond_async,
    };
    Ok(match state.store(submission).await? {
        Stored::Processed(_) => HttpResponse::Ok().json(InventoryAnswer { status: "ok" }),
        Stored::Accepted => HttpResponse::Accepted().json(InventoryAnswer { status: "accepted" }),
    })
}
