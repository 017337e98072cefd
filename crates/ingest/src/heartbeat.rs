//! `POST /api/v1/heartbeat`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use bus::EncodedRequest;
use bus::proto;
use domain::wire::{self, Heartbeat};
use service_kit::{Problem, ProblemBody, clock};

use crate::State;
use crate::agent_key::Agent;
use crate::answer::{HeartbeatAnswer, bad_body};
use crate::body::{self, Body};
use crate::documented::HeartbeatBody;
use crate::intake::Envelope;
use crate::preference::wants_async;
use crate::store::{Stored, Submission};

/// Report the health of a VPN server and of the agent beside it.
#[utoipa::path(
    operation_id = "post_heartbeat",
    tag = "agent",
    request_body(content = HeartbeatBody, content_type = "application/json"),
    responses(
        (status = 200, description = "Processed", body = HeartbeatAnswer),
        (status = 202, description = "Stored, to be processed", body = HeartbeatAnswer),
        (status = 400, description = "Not JSON of this shape, or a value that cannot be", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_api_key`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`wrong_server_id`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is over the limit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Content type or encoding is not accepted", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Over the VPN server's rate; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not stored; send the next one after `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []))
)]
#[post("/api/v1/heartbeat")]
pub(crate) async fn post_heartbeat(
    state: Data<State>,
    agent: Agent,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let Body { bytes, memory } = body::read(&state, &http, payload).await?;
    let received_at = clock::now();
    let mut request =
        wire::parse_heartbeat(&bytes, received_at, state.limits.ingest_max_events).map_err(|error| bad_body(&error))?;
    agent.must_be(&request.server_id)?;
    state.rates.take_many(&agent.server_key, 1 + request.sessions.len())?;

    let respond_async = wants_async(&http);
    let envelope = Envelope {
        agent: &agent,
        received_at,
        sent_at: request.sent_at,
        boot_id: request.boot_id,
        reply_subject: if respond_async { "" } else { &state.reply_subject },
        traceparent: service_kit::trace::current_traceparent(),
    };
    let proofs = request.proofs().into_iter().map(Into::into).collect();
    let (mut part_ids, mut parts) = envelope.parts(proofs, Vec::new(), state.part_limits(), clock::new_id);
    let part_id = clock::new_id();
    let mut part = envelope.request(part_id, Vec::new());
    part.heartbeat = Some(to_proto(request.heartbeat));
    part_ids.push(part_id);
    parts.push(EncodedRequest::new(&part));
    let submission = Submission {
        part_ids,
        parts,
        rejected: Vec::new(),
        memory,
        wait: !respond_async,
    };
    Ok(match state.store(submission).await? {
        Stored::Processed(_) => HttpResponse::Ok().json(HeartbeatAnswer { status: "ok" }),
        Stored::Accepted => HttpResponse::Accepted().json(HeartbeatAnswer { status: "accepted" }),
    })
}

fn to_proto(heartbeat: Heartbeat) -> proto::Heartbeat {
    proto::Heartbeat {
        cpu_percent: heartbeat.cpu_percent,
        memory_percent: heartbeat.memory_percent,
        load_1m: heartbeat.load_1m,
        openvpn_version: heartbeat.openvpn_version,
        uptime_seconds: heartbeat.uptime_seconds,
        session_count: heartbeat.session_count,
        dco: heartbeat.dco,
        agent_version: heartbeat.agent_version,
        spool_depth: heartbeat.spool_depth,
        oldest_unsent_us: heartbeat.oldest_unsent_at.map(bus::micros_from_time),
    }
}
