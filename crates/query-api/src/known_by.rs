//! How each fact of a session is known: its start, its end, its bytes, its duration.

use db::entities::enums::{BytesSource, EventType, SessionEnd};
use db::entities::{vpn_event, vpn_session};
use db::{Db, events, servers};
use domain::time_format;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::gap::GapView;

/// How each fact of a session is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnownBy {
    start: StartKnownBy,
    /// Null while the session is active.
    end: Option<EndKnownBy>,
    bytes: BytesKnownBy,
    duration: DurationSource,
    /// Missing events of its VPN server, from its connect to its end or until now: they could change what is known.
    gaps: Vec<GapView>,
}

/// What opened a session.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StartSource {
    ConnectEvent,
    /// No connect event was received.
    Snapshot,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartKnownBy {
    source: StartSource,
    #[serde(serialize_with = "time_format::millis")]
    at: OffsetDateTime,
    /// The connect event.
    event_id: Option<Uuid>,
}

/// The end lies between `not_before` and `not_after`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndKnownBy {
    ended_by: SessionEnd,
    /// The last proof of life, or the reported end.
    #[serde(serialize_with = "time_format::millis")]
    not_before: OffsetDateTime,
    /// The first disproof of life; null when only proof is lacking.
    #[serde(serialize_with = "time_format::optional_millis")]
    not_after: Option<OffsetDateTime>,
    /// The event that tells of the end: the disconnect, the server's start or stop, the snapshot.
    event_id: Option<Uuid>,
    event_type: Option<EventType>,
    /// The session that took its address or its common name.
    superseded_by: Option<Uuid>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BytesKnownBy {
    /// Null when nothing is known of the bytes.
    source: Option<BytesSource>,
    /// Time of the last event of its own that counts bytes; null when a snapshot gave them, or nothing did.
    #[serde(serialize_with = "time_format::optional_millis")]
    as_of: Option<OffsetDateTime>,
    event_id: Option<Uuid>,
    /// The daemon's counters began again at least once: the bytes are a sum.
    counters_were_reset: bool,
}

/// Where a duration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DurationSource {
    /// The daemon's own figure.
    Daemon,
    /// From the connect to the reported end.
    Times,
    /// From the connect to the last proof of life: it may have lasted longer.
    AtLeast,
    /// From the connect until now.
    Running,
}

impl KnownBy {
    pub(crate) fn gaps(&self) -> &[GapView] {
        &self.gaps
    }

    /// The event that tells of the end.
    pub(crate) fn end_event(&self) -> Option<Uuid> {
        self.end.as_ref().and_then(|end| end.event_id)
    }
}

/// Gathers how the facts of a session are known; `own` are the events matched to it.
pub(crate) async fn gather(
    db: &Db,
    session: &vpn_session::Model,
    own: &[vpn_event::Model],
    now: OffsetDateTime,
) -> Result<KnownBy, db::Error> {
    let until = session.end_not_after.or(session.disconnected_at).unwrap_or(now);
    let gaps = servers::gaps_between(db, &[session.server_id], Some(session.connected_at), Some(until)).await?;
    Ok(KnownBy {
        start: start(session),
        end: end(db, session, own).await?,
        bytes: bytes(session, own),
        duration: duration(session),
        gaps: gaps.into_iter().map(GapView::from).collect(),
    })
}

fn start(session: &vpn_session::Model) -> StartKnownBy {
    let snapshot = session.opened_by_snapshot;
    StartKnownBy {
        source: if snapshot {
            StartSource::Snapshot
        } else {
            StartSource::ConnectEvent
        },
        at: session.connected_at,
        event_id: (!snapshot).then_some(session.id),
    }
}

async fn end(db: &Db, session: &vpn_session::Model, own: &[vpn_event::Model]) -> Result<Option<EndKnownBy>, db::Error> {
    let (Some(ended_by), Some(disconnected_at)) = (session.ended_by, session.disconnected_at) else {
        return Ok(None);
    };
    let told_by = match (ended_by, session.end_not_after) {
        (SessionEnd::Reported | SessionEnd::Terminated, _) => own
            .iter()
            .rev()
            .find(|event| event.event_type == EventType::SessionDisconnected)
            .map(reference),
        (SessionEnd::ServerRestart | SessionEnd::Reconciled, Some(at)) => {
            events::of_server_at(db, session.server_id, &[at])
                .await?
                .first()
                .map(reference)
        }
        _ => None,
    };
    let superseded_by = match (ended_by, session.end_not_after) {
        (SessionEnd::Superseded, Some(at)) => {
            successor(session, &events::sessions_begun_at(db, session.server_id, at).await?)
        }
        _ => None,
    };
    Ok(Some(EndKnownBy {
        ended_by,
        not_before: disconnected_at,
        not_after: session.end_not_after,
        event_id: told_by.map(|(id, _)| id),
        event_type: told_by.map(|(_, event_type)| event_type),
        superseded_by,
    }))
}

fn reference(event: &vpn_event::Model) -> (Uuid, EventType) {
    (event.event_id, event.event_type)
}

fn successor(session: &vpn_session::Model, begun: &[vpn_session::Model]) -> Option<Uuid> {
    let takes_over = |other: &&vpn_session::Model| {
        other.id != session.id
            && (other.vpn_user_id == session.vpn_user_id
                || other.virtual_ip.is_some() && other.virtual_ip == session.virtual_ip
                || other.virtual_ip6.is_some() && other.virtual_ip6 == session.virtual_ip6)
    };
    begun.iter().find(takes_over).map(|other| other.id)
}

fn bytes(session: &vpn_session::Model, own: &[vpn_event::Model]) -> BytesKnownBy {
    let counts = |event: &&vpn_event::Model| {
        let facts = event.body.get(0).and_then(Value::as_object);
        facts.is_some_and(|facts| facts.contains_key("bytes_in") || facts.contains_key("bytes_out"))
    };
    let last = own.iter().rev().find(counts);
    BytesKnownBy {
        source: session.bytes_source,
        as_of: last.map(|event| event.event_time),
        event_id: last.map(|event| event.event_id),
        counters_were_reset: session.bytes_in_base > 0 || session.bytes_out_base > 0,
    }
}

fn duration(session: &vpn_session::Model) -> DurationSource {
    match (session.duration_seconds, session.ended_by) {
        (Some(_), _) => DurationSource::Daemon,
        (None, None) => DurationSource::Running,
        (None, Some(SessionEnd::Reported | SessionEnd::Terminated)) => DurationSource::Times,
        (None, Some(_)) => DurationSource::AtLeast,
    }
}
