use bus::proto::{AgentRequest, TelemetryBatch};
use bus::{InvalidMessage, time_from_micros};
use db::apply::Request;
use domain::wire::Heartbeat;
use uuid::Uuid;

/// A request, and who waits for its outcome.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    request: Request,
    reply_subject: String,
}

/// Where the outcome of a request is awaited; the subject is empty when nobody waits.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) request_id: Uuid,
    pub(crate) subject: String,
}

impl Awaited {
    pub(crate) fn split(self) -> (Request, Reply) {
        let reply = Reply {
            request_id: self.request.request_id,
            subject: self.reply_subject,
        };
        (self.request, reply)
    }
}

/// The requests of a message.
///
/// # Errors
/// [`InvalidMessage`] names the first field that no ingest of ours writes.
pub(crate) fn requests(batch: TelemetryBatch) -> Result<Vec<Awaited>, InvalidMessage> {
    batch.requests.into_iter().map(request).collect()
}

fn request(message: AgentRequest) -> Result<Awaited, InvalidMessage> {
    let (boot_id, sent_at, received_at) = (message.boot()?, message.sent_at()?, message.received_at()?);
    let request_id = Uuid::from_slice(&message.request_id).map_err(|error| InvalidMessage {
        field: "request_id",
        found: error.to_string(),
    })?;
    let events = message
        .events
        .into_iter()
        .map(|event| event.into_event(boot_id))
        .collect::<Result<_, _>>()?;
    let request = Request {
        request_id,
        server_id: message.server_key,
        server_name: message.server_name,
        boot_id,
        sent_at,
        received_at,
        events,
        rejected_seqs: message.rejected_seqs,
        heartbeat: message.heartbeat.map(heartbeat).transpose()?,
        inventory: message.inventory.map(TryInto::try_into).transpose()?,
    };
    Ok(Awaited {
        request,
        reply_subject: message.reply_subject,
    })
}

fn heartbeat(message: bus::proto::Heartbeat) -> Result<Heartbeat, InvalidMessage> {
    Ok(Heartbeat {
        cpu_percent: message.cpu_percent,
        memory_percent: message.memory_percent,
        load_1m: message.load_1m,
        openvpn_version: message.openvpn_version,
        uptime_seconds: message.uptime_seconds,
        session_count: message.session_count,
        dco: message.dco,
        agent_version: message.agent_version,
        spool_depth: message.spool_depth,
        oldest_unsent_at: message
            .oldest_unsent_us
            .map(|micros| time_from_micros("oldest_unsent_us", micros))
            .transpose()?,
    })
}
