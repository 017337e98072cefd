use std::collections::{BTreeSet, HashSet};

use domain::event::{Event, EventType};
use sqlx::{PgConnection, Row};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Request;
use crate::Error;

/// For how long around its own time an event is recognised as a duplicate; connect events are for ever, as sessions.
const MEMORY: Duration = Duration::days(35);

/// An event that nobody has applied yet.
pub(super) struct FreshEvent<'a> {
    /// Index of its request.
    pub(super) request: usize,
    pub(super) server_id: i32,
    pub(super) event: &'a Event,
}

/// The events of a batch without those that were applied before.
pub(super) struct Fresh<'a> {
    pub(super) requests: &'a [Request],
    pub(super) events: Vec<FreshEvent<'a>>,
    /// Events that are stored already, with their servers.
    duplicates: Vec<(i32, &'a Event)>,
    /// How many events of each request were duplicates.
    pub(super) duplicates_of: Vec<u32>,
    /// Connect events whose session is not stored, not even from a snapshot: by the connect's id, which is the session's.
    pub(super) new_sessions: HashSet<Uuid>,
}

impl Fresh<'_> {
    /// The time of the earliest event that was applied before, and the servers of all of them.
    pub(super) fn known_since(&self) -> (Option<OffsetDateTime>, Vec<i32>) {
        let since = self.duplicates.iter().map(|(_, event)| event.event_time).min();
        let servers: BTreeSet<i32> = self.duplicates.iter().map(|(server_id, _)| *server_id).collect();
        (since, servers.into_iter().collect())
    }
}

/// Separates fresh events from duplicates, by `event_id`.
pub(super) async fn find<'a>(connection: &mut PgConnection, requests: &'a [Request]) -> Result<Fresh<'a>, Error> {
    let stored = stored(connection, requests).await?;
    let mut seen = HashSet::with_capacity(requests.iter().map(|request| request.events.len()).sum());
    let mut fresh = Fresh {
        requests,
        events: Vec::new(),
        duplicates: Vec::new(),
        duplicates_of: vec![0; requests.len()],
        new_sessions: HashSet::new(),
    };
    for (index, request) in requests.iter().enumerate() {
        for event in &request.events {
            if stored.events.contains(&event.event_id) {
                fresh.duplicates.push((request.server_id, event));
                fresh.duplicates_of[index] += 1;
            } else if !seen.insert(event.event_id) {
                fresh.duplicates_of[index] += 1;
            } else {
                if event.event_type == EventType::SessionConnected && !stored.shown.contains(&event.event_id) {
                    fresh.new_sessions.insert(event.event_id);
                }
                fresh.events.push(FreshEvent {
                    request: index,
                    server_id: request.server_id,
                    event,
                });
            }
        }
    }
    Ok(fresh)
}

/// What is stored under the ids of a batch.
#[derive(Default)]
struct Stored {
    /// Events that were applied before.
    events: HashSet<Uuid>,
    /// Connects whose session only a snapshot has shown so far.
    shown: HashSet<Uuid>,
}

async fn stored(connection: &mut PgConnection, requests: &[Request]) -> Result<Stored, Error> {
    let events = || requests.iter().flat_map(|request| &request.events);
    let Some(first) = events().map(|event| event.event_time).min() else {
        return Ok(Stored::default());
    };
    let last = events().map(|event| event.event_time).max().unwrap_or(first);
    let ids: Vec<Uuid> = events().map(|event| event.event_id).collect();
    let connects: Vec<Uuid> = events()
        .filter(|event| event.event_type == EventType::SessionConnected)
        .map(|event| event.event_id)
        .collect();
    // Bounded, so that it stays one look-up an event: as a semi-join it may read all events of those months at once.
    let sql = "SELECT i.id, false FROM unnest($1::uuid[]) AS i (id) CROSS JOIN LATERAL
            (SELECT FROM vpn_event e WHERE e.event_id = i.id AND e.event_time BETWEEN $2 AND $3 LIMIT 1) e
        UNION ALL
        SELECT s.id, s.opened_by_snapshot FROM unnest($4::uuid[]) AS i (id) JOIN vpn_session s ON s.id = i.id";
    let rows = sqlx::query(sql)
        .bind(ids)
        .bind(first.saturating_sub(MEMORY))
        .bind(last.saturating_add(MEMORY))
        .bind(connects)
        .fetch_all(connection)
        .await?;
    let mut stored = Stored::default();
    for row in rows {
        let (id, shown): (Uuid, bool) = (row.try_get(0)?, row.try_get(1)?);
        let known = if shown { &mut stored.shown } else { &mut stored.events };
        known.insert(id);
    }
    Ok(stored)
}
