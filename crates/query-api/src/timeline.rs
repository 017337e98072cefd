//! What happened to a session, and how each fact is known.

use db::entities::enums::{EventType, SessionEnd};
use db::entities::{vpn_event, vpn_session};
use domain::time_format::{self, format_millis};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::CommandView;
use crate::gap::GapView;
use crate::known_by::KnownBy;

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TimelineEntry {
    #[serde(serialize_with = "time_format::millis")]
    at: OffsetDateTime,
    /// It happened between `at` and then.
    #[serde(serialize_with = "time_format::optional_millis")]
    until: Option<OffsetDateTime>,
    kind: TimelineKind,
    known_from: KnownFrom,
    /// The event that tells of it.
    event_id: Option<Uuid>,
    /// For people.
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimelineKind {
    Connected,
    /// The client's address changed.
    AddressChanged,
    /// The daemon's counters began again.
    CountersReset,
    /// So many bytes had flowed.
    TrafficMilestone,
    /// Events of the VPN server are missing.
    Gap,
    /// A portal user asked that it be ended.
    TerminationRequested,
    /// The last proof of life.
    LastProof,
    /// It had not ended before `at`; nor did it live after `until`.
    Ended,
}

/// How a fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KnownFrom {
    /// An event of the session's own says so.
    Event,
    /// A full list of the VPN server's sessions says so.
    Snapshot,
    /// It follows from what else is known.
    Inference,
    /// It was asked for in the portal.
    Portal,
}

/// Tells a session's story in the order of time, from its own events, how they are known, and what was asked of it.
pub(crate) fn tell(
    session: &vpn_session::Model,
    events: &[vpn_event::Model],
    known_by: &KnownBy,
    commands: &[CommandView],
) -> Vec<TimelineEntry> {
    let mut entries = vec![connected(session)];
    entries.extend(changes(events));
    entries.extend(known_by.gaps().iter().map(gap));
    entries.extend(commands.iter().map(CommandView::timeline_entry));
    entries.extend(last_proof(session));
    entries.extend(ended(session, known_by));
    entries.sort_by_key(|entry| entry.at);
    entries
}

impl TimelineEntry {
    pub(crate) fn new(at: OffsetDateTime, kind: TimelineKind, known_from: KnownFrom, text: String) -> Self {
        Self {
            at,
            until: None,
            kind,
            known_from,
            event_id: None,
            text,
        }
    }

    fn of_event(event: &vpn_event::Model, kind: TimelineKind, text: String) -> Self {
        Self {
            event_id: Some(event.event_id),
            ..Self::new(event.event_time, kind, KnownFrom::Event, text)
        }
    }
}

fn connected(session: &vpn_session::Model) -> TimelineEntry {
    let at = session.connected_at;
    if session.opened_by_snapshot {
        let text = "A list of the VPN server's sessions names it; no connect was received.".to_owned();
        return TimelineEntry::new(at, TimelineKind::Connected, KnownFrom::Snapshot, text);
    }
    TimelineEntry {
        event_id: Some(session.id),
        ..TimelineEntry::new(at, TimelineKind::Connected, KnownFrom::Event, "Connected.".to_owned())
    }
}

/// What the events change: address, counters, round sums of bytes.
fn changes(events: &[vpn_event::Model]) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    let (mut address, mut base, mut last, mut milestone) = (None, 0, None, FIRST_MILESTONE);
    for event in events
        .iter()
        .filter(|event| event.event_type != EventType::SessionSnapshot)
    {
        let facts = event.body.get(0);
        let seen = real_address(facts);
        if let (Some(before), Some(now)) = (&address, &seen)
            && before != now
        {
            let text = format!("The client's address changed from {before} to {now}.");
            entries.push(TimelineEntry::of_event(event, TimelineKind::AddressChanged, text));
        }
        address = seen.or(address);
        let Some(bytes) = bytes(facts) else { continue };
        if let Some(before) = last.filter(|before| bytes < *before) {
            base += before;
            let text = "The daemon's counters began again; their sums go on.".to_owned();
            entries.push(TimelineEntry::of_event(event, TimelineKind::CountersReset, text));
        }
        last = Some(bytes);
        let reached = round_sums_up_to(base + bytes).filter(|sum| *sum >= milestone).last();
        if let Some(sum) = reached {
            milestone = sum.saturating_mul(10);
            let text = format!("{} had flowed.", readable(sum));
            entries.push(TimelineEntry::of_event(event, TimelineKind::TrafficMilestone, text));
        }
    }
    entries
}

const FIRST_MILESTONE: u128 = 100_000_000;

fn round_sums_up_to(bytes: u128) -> impl Iterator<Item = u128> {
    std::iter::successors(Some(FIRST_MILESTONE), |sum| sum.checked_mul(10)).take_while(move |sum| *sum <= bytes)
}

fn readable(bytes: u128) -> String {
    match bytes {
        ..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        1_000_000_000..1_000_000_000_000 => format!("{} GB", bytes / 1_000_000_000),
        _ => format!("{} TB", bytes / 1_000_000_000_000),
    }
}

/// In and out together.
fn bytes(facts: Option<&Value>) -> Option<u128> {
    let count = |name| facts?.get(name)?.as_u64().map(u128::from);
    match (count("bytes_in"), count("bytes_out")) {
        (None, None) => None,
        (bytes_in, bytes_out) => Some(bytes_in.unwrap_or_default() + bytes_out.unwrap_or_default()),
    }
}

fn real_address(facts: Option<&Value>) -> Option<String> {
    facts?.get("real_ip")?.as_str().map(str::to_owned)
}

fn gap(gap: &GapView) -> TimelineEntry {
    let text = format!(
        "{} events of the VPN server are missing (numbers {} to {}): they could change what is known.",
        gap.missing_events, gap.from_seq, gap.to_seq
    );
    TimelineEntry {
        until: Some(gap.before_time),
        ..TimelineEntry::new(
            gap.after_time.unwrap_or(gap.before_time),
            TimelineKind::Gap,
            KnownFrom::Inference,
            text,
        )
    }
}

/// Where nobody reported the end, the last proof of life is what is known of it.
fn last_proof(session: &vpn_session::Model) -> Option<TimelineEntry> {
    let is_reported = matches!(session.ended_by, Some(SessionEnd::Reported | SessionEnd::Terminated));
    let text = "The last proof of life.".to_owned();
    let entry = TimelineEntry::new(
        session.last_seen_at,
        TimelineKind::LastProof,
        KnownFrom::Inference,
        text,
    );
    (!is_reported && session.last_seen_at > session.connected_at).then_some(entry)
}

fn ended(session: &vpn_session::Model, known_by: &KnownBy) -> Option<TimelineEntry> {
    let (ended_by, at) = (session.ended_by?, session.disconnected_at?);
    let until = session.end_not_after.filter(|until| *until > at);
    let between = until.map_or_else(String::new, |until| {
        format!(" Between {} and {}.", format_millis(at), format_millis(until))
    });
    let why = match ended_by {
        SessionEnd::Reported => "The VPN server reported the end.",
        SessionEnd::Terminated => "Ended on request; the VPN server reported it.",
        SessionEnd::Superseded => "Another session took its address or its common name.",
        SessionEnd::ServerRestart => "The VPN server started anew or stopped.",
        SessionEnd::Reconciled => "A list of the VPN server's sessions does not name it any more.",
        SessionEnd::Timeout => "No proof of life for too long; it comes back when there is one.",
    };
    let known_from = match ended_by {
        SessionEnd::Reported | SessionEnd::Terminated => KnownFrom::Event,
        SessionEnd::Reconciled => KnownFrom::Snapshot,
        _ => KnownFrom::Inference,
    };
    Some(TimelineEntry {
        until,
        event_id: known_by.end_event(),
        ..TimelineEntry::new(at, TimelineKind::Ended, known_from, format!("{why}{between}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    fn event(minute: i64, facts: &Value) -> vpn_event::Model {
        let at = datetime!(2026-02-13 12:00 UTC) + Duration::minutes(minute);
        vpn_event::Model {
            event_id: Uuid::nil(),
            event_time: at,
            server_id: 1,
            vpn_user_id: Some(1),
            session_id: Some(Uuid::nil()),
            event_type: EventType::SessionUpdated,
            boot_id: None,
            seq: None,
            received_at: at,
            body: json!([facts]),
        }
    }

    #[test]
    fn events_tell_of_new_addresses_resets_and_round_sums() {
        let events = [
            event(0, &json!({"real_ip": "198.51.100.7", "bytes_in": 99_999_999u64})),
            event(1, &json!({"bytes_in": 100_000_000u64})),
            event(2, &json!({"real_ip": "203.0.113.9", "bytes_in": 5, "bytes_out": 5})),
            event(3, &json!({"real_ip": "203.0.113.9", "bytes_in": 950_000_000u64})),
            event(4, &json!({"bytes_in": 960_000_000u64})),
        ];
        let told: Vec<(i64, String)> = changes(&events)
            .into_iter()
            .map(|entry| ((entry.at - events[0].event_time).whole_minutes(), entry.text))
            .collect();
        let expected = [
            (1, "100 MB had flowed."),
            (2, "The client's address changed from 198.51.100.7 to 203.0.113.9."),
            (2, "The daemon's counters began again; their sums go on."),
            (3, "1 GB had flowed."),
        ];
        assert_eq!(told, expected.map(|(minute, text)| (minute, text.to_owned())));
    }
}
