//! Replay of tracks from their stored events: the slow path for what arrives late.
//!
//! A replay begins at an instant before which no session of the track was open that the new facts, or anything after them,
//! may concern. Sessions that ended before it enter as they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use domain::event::{Event, EventType, SessionFacts};
use domain::timeline::{Effect, Fact, GRACE, SAME_CONNECT, Takeover, Track};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::changes::{Changes, Rematched};
use super::load::TrackKey;
use super::plan::{Plan, Takeovers, Work, takeovers_of};
use super::record::{COLUMNS, SessionRecord, parse, unsigned};
use super::write::Unmatched;
use crate::Error;

/// A stored event and the session it was matched to.
pub(super) struct StoredEvent {
    pub(super) event: Event,
    pub(super) vpn_user_id: Option<i64>,
    pub(super) session_id: Option<Uuid>,
    pub(super) waits: bool,
}

/// What replaying the tracks of one server needs.
struct Window {
    server_id: i32,
    /// Where each user's replay begins.
    from: BTreeMap<i64, OffsetDateTime>,
    events: Vec<StoredEvent>,
    boots: Vec<(Uuid, OffsetDateTime)>,
    sessions: HashMap<i64, HashMap<Uuid, SessionRecord>>,
    takeovers: Takeovers,
}

/// Replays every track that is marked for it.
pub(super) async fn replay(connection: &mut PgConnection, plan: &Plan<'_>, changes: &mut Changes) -> Result<(), Error> {
    let mut by_server: BTreeMap<i32, BTreeMap<i64, OffsetDateTime>> = BTreeMap::new();
    for (track, work) in &plan.works {
        if let Some(from) = work.replay_from {
            by_server.entry(track.0).or_default().insert(track.1, from);
        }
    }
    for (server_id, from) in by_server {
        let window = load(connection, server_id, from, plan).await?;
        for (user, from) in &window.from {
            let work = &plan.works[&(server_id, *user)];
            let name = &plan.names[user];
            replay_track(plan, &window, (server_id, *user), name, *from, work, changes);
        }
    }
    Ok(())
}

async fn load(
    connection: &mut PgConnection,
    server_id: i32,
    from: BTreeMap<i64, OffsetDateTime>,
    plan: &Plan<'_>,
) -> Result<Window, Error> {
    let from = widen(connection, server_id, from, &plan.works).await?;
    let events = events(connection, server_id, &from).await?;
    let boots = boots(connection, server_id).await?;
    let sessions = sessions(connection, server_id, &from, &events, &plan.works, &plan.names).await?;
    let mut window = Window {
        server_id,
        from,
        events,
        boots,
        sessions,
        takeovers: plan.takeovers.clone(),
    };
    let stored = stored_takeovers(connection, &window, &plan.works).await?;
    for (ip, by, takeover) in stored {
        window
            .takeovers
            .entry((server_id, ip))
            .or_default()
            .push((by, takeover));
    }
    Ok(window)
}

/// Moves each beginning back until no session that may be concerned was open across it.
async fn widen(
    connection: &mut PgConnection,
    server_id: i32,
    mut from: BTreeMap<i64, OffsetDateTime>,
    works: &BTreeMap<TrackKey, Work<'_>>,
) -> Result<BTreeMap<i64, OffsetDateTime>, Error> {
    for (user, from) in &mut from {
        // An event may name a session that ended long before.
        for id in named(&works[&(server_id, *user)]) {
            if let Some(record) = works[&(server_id, *user)].stored.get(&id) {
                *from = (*from).min(record.session.connected_at);
            }
        }
    }
    let mut moving: BTreeMap<i64, OffsetDateTime> = from.clone();
    while !moving.is_empty() {
        let sql = "SELECT t.vpn_user_id, min(least(s.connected_at, s.early_event_at))
            FROM unnest($2::bigint[], $3::timestamptz[]) AS t (vpn_user_id, since)
            JOIN vpn_session s ON s.vpn_user_id = t.vpn_user_id AND s.server_id = $1
            WHERE s.early_event_at < t.since AND s.connected_at >= t.since
                OR s.connected_at < t.since
                    AND (s.session_status <> 'disconnected' OR s.end_not_after >= t.since - $4 * interval '1 second')
            GROUP BY t.vpn_user_id";
        let rows = sqlx::query(sql)
            .bind(server_id)
            .bind(moving.keys().copied().collect::<Vec<_>>())
            .bind(moving.values().copied().collect::<Vec<_>>())
            .bind(GRACE.whole_seconds())
            .fetch_all(&mut *connection)
            .await?;
        moving = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, Error>>()?;
        from.extend(moving.iter().map(|(user, at)| (*user, *at)));
    }
    Ok(from)
}

fn named(work: &Work<'_>) -> Vec<Uuid> {
    let ids = |facts: &SessionFacts| facts.session_id;
    work.facts
        .iter()
        .flat_map(|fact| match fact {
            Fact::Session { event, facts } => vec![facts.session_id.unwrap_or(event.event_id)],
            Fact::Snapshot { entries, .. } => entries.iter().filter_map(|entry| ids(entry)).collect(),
            _ => Vec::new(),
        })
        .collect()
}

/// Events of the users since their beginnings, events of theirs that wait from before, and the server's own.
async fn events(
    connection: &mut PgConnection,
    server_id: i32,
    from: &BTreeMap<i64, OffsetDateTime>,
) -> Result<Vec<StoredEvent>, Error> {
    let columns = "e.event_id, e.event_time, e.vpn_user_id, e.session_id, e.event_type::text, e.boot_id, e.seq, e.body::text, \
        EXISTS (SELECT 1 FROM unmatched_event w WHERE w.event_id = e.event_id) AS waits";
    let sql = format!(
        "SELECT {columns} FROM unnest($2::bigint[], $3::timestamptz[]) AS t (vpn_user_id, since)
            JOIN vpn_event e ON e.server_id = $1 AND e.vpn_user_id = t.vpn_user_id AND e.event_time >= t.since
        UNION ALL
        SELECT {columns} FROM unnest($2::bigint[], $3::timestamptz[]) AS t (vpn_user_id, since)
            JOIN unmatched_event u ON u.server_id = $1 AND u.vpn_user_id = t.vpn_user_id AND u.event_time < t.since
                AND u.session_id IS NOT NULL
            JOIN vpn_event e ON e.event_id = u.event_id AND e.event_time = u.event_time
        UNION ALL
        SELECT {columns} FROM vpn_event e WHERE e.server_id = $1 AND e.vpn_user_id IS NULL AND e.event_time >= $4"
    );
    let earliest = from.values().min().copied();
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(server_id)
        .bind(from.keys().copied().collect::<Vec<_>>())
        .bind(from.values().copied().collect::<Vec<_>>())
        .bind(earliest)
        .fetch_all(connection)
        .await?;
    rows.iter().map(StoredEvent::read).collect()
}

impl StoredEvent {
    pub(super) fn read(row: &PgRow) -> Result<Self, Error> {
        let body: &str = row.try_get("body")?;
        let event = Event {
            event_id: row.try_get("event_id")?,
            event_type: parse(row.try_get("event_type")?, EventType::parse)?,
            event_time: row.try_get("event_time")?,
            seq: row.try_get::<Option<i64>, _>("seq")?.map(unsigned),
            boot_id: row.try_get("boot_id")?,
            sessions: serde_json::from_str(body)
                .map_err(|error| Error::Corrupt(format!("the body of a stored event: {error}")))?,
        };
        Ok(Self {
            event,
            vpn_user_id: row.try_get("vpn_user_id")?,
            session_id: row.try_get("session_id")?,
            waits: row.try_get("waits")?,
        })
    }
}

async fn boots(connection: &mut PgConnection, server_id: i32) -> Result<Vec<(Uuid, OffsetDateTime)>, Error> {
    let sql = "SELECT boot_id, started_at FROM server_boot WHERE server_id = $1 AND boot_id <> $2";
    let rows = sqlx::query(sql)
        .bind(server_id)
        .bind(Uuid::nil())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// When snapshots, stored or fresh, say that sessions of the replayed users connected.
fn listed(
    server_id: i32,
    from: &BTreeMap<i64, OffsetDateTime>,
    events: &[StoredEvent],
    works: &BTreeMap<TrackKey, Work<'_>>,
    names: &HashMap<i64, String>,
) -> Vec<(i64, OffsetDateTime)> {
    let users: HashMap<&str, i64> = from.keys().map(|user| (names[user].as_str(), *user)).collect();
    let stored = events
        .iter()
        .filter(|one| one.vpn_user_id.is_none())
        .flat_map(|one| &one.event.sessions);
    let stored = stored.filter_map(|entry| Some((*users.get(entry.common_name.as_str())?, entry.connected_at?)));
    let fresh = from.keys().flat_map(|user| {
        let entries = works[&(server_id, *user)].facts.iter().flat_map(|fact| match fact {
            Fact::Snapshot { entries, .. } => entries.clone(),
            _ => Vec::new(),
        });
        entries.filter_map(move |entry| Some((*user, entry.connected_at?)))
    });
    stored.chain(fresh).collect()
}

/// Sessions since each beginning, which the replay must give again, and earlier ones that facts in the window name.
async fn sessions(
    connection: &mut PgConnection,
    server_id: i32,
    from: &BTreeMap<i64, OffsetDateTime>,
    events: &[StoredEvent],
    works: &BTreeMap<TrackKey, Work<'_>>,
    names: &HashMap<i64, String>,
) -> Result<HashMap<i64, HashMap<Uuid, SessionRecord>>, Error> {
    let mut ids: BTreeSet<Uuid> = events
        .iter()
        .flat_map(|one| &one.event.sessions)
        .filter_map(|facts| facts.session_id)
        .collect();
    ids.extend(from.keys().flat_map(|user| named(&works[&(server_id, *user)])));
    let (users, at): (Vec<i64>, Vec<OffsetDateTime>) =
        listed(server_id, from, events, works, names).into_iter().unzip();
    let sql = format!(
        "SELECT {COLUMNS} FROM unnest($2::bigint[], $3::timestamptz[]) AS t (vpn_user_id, since)
            JOIN vpn_session s ON s.server_id = $1 AND s.vpn_user_id = t.vpn_user_id AND s.connected_at >= t.since
        UNION SELECT {COLUMNS} FROM vpn_session s WHERE s.server_id = $1 AND s.id = ANY($4)
        UNION SELECT {COLUMNS} FROM unnest($5::bigint[], $6::timestamptz[]) AS l (vpn_user_id, at)
            JOIN vpn_session s ON s.server_id = $1 AND s.vpn_user_id = l.vpn_user_id
                AND s.connected_at BETWEEN l.at - $7 * interval '1 second' AND l.at + $7 * interval '1 second'"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(server_id)
        .bind(from.keys().copied().collect::<Vec<_>>())
        .bind(from.values().copied().collect::<Vec<_>>())
        .bind(ids.into_iter().collect::<Vec<_>>())
        .bind(users)
        .bind(at)
        .bind(SAME_CONNECT.whole_seconds())
        .fetch_all(connection)
        .await?;
    let mut sessions: HashMap<i64, HashMap<Uuid, SessionRecord>> = HashMap::new();
    for row in &rows {
        let record = SessionRecord::read(row)?;
        sessions
            .entry(record.vpn_user_id)
            .or_default()
            .insert(record.session.id, record);
    }
    Ok(sessions)
}

/// Connects of other users, stored before, that took an address that a replayed track may hold.
async fn stored_takeovers(
    connection: &mut PgConnection,
    window: &Window,
    works: &BTreeMap<TrackKey, Work<'_>>,
) -> Result<Vec<(IpAddr, i64, Takeover)>, Error> {
    let addresses: BTreeSet<IpAddr> = window
        .from
        .keys()
        .flat_map(|user| addresses(window, *user, &works[&(window.server_id, *user)]))
        .collect();
    // The connect event itself says what was taken: its session may have learned an address later.
    let sql = "SELECT s.vpn_user_id, s.id, s.connected_at,
            (e.body -> 0 ->> 'virtual_ip')::inet AS virtual_ip, (e.body -> 0 ->> 'virtual_ip6')::inet AS virtual_ip6
        FROM (SELECT * FROM vpn_session WHERE server_id = $1 AND virtual_ip = ANY($2) AND connected_at >= $3
            UNION SELECT * FROM vpn_session WHERE server_id = $1 AND virtual_ip6 = ANY($2) AND connected_at >= $3) s
        JOIN vpn_event e ON e.event_id = s.id AND e.event_time = s.connected_at";
    let rows = sqlx::query(sql)
        .bind(window.server_id)
        .bind(addresses.into_iter().collect::<Vec<_>>())
        .bind(window.from.values().min().copied())
        .fetch_all(connection)
        .await?;
    let mut takeovers = Vec::new();
    for row in rows {
        let takeover = Takeover {
            at: row.try_get(2)?,
            session_id: row.try_get(1)?,
            virtual_ip: row.try_get(3)?,
            virtual_ip6: row.try_get(4)?,
        };
        for ip in [takeover.virtual_ip, takeover.virtual_ip6].into_iter().flatten() {
            takeovers.push((ip, row.try_get(0)?, takeover));
        }
    }
    Ok(takeovers)
}

/// Every address that a session of the track may hold.
fn addresses(window: &Window, user: i64, work: &Work<'_>) -> BTreeSet<IpAddr> {
    let of = |facts: &SessionFacts| [facts.virtual_ip, facts.virtual_ip6];
    let stored = window
        .events
        .iter()
        .filter(|one| one.vpn_user_id == Some(user))
        .flat_map(|one| &one.event.sessions);
    let fresh = work.facts.iter().flat_map(|fact| match fact {
        Fact::Session { facts, .. } => vec![*facts],
        Fact::Snapshot { entries, .. } => entries.clone(),
        _ => Vec::new(),
    });
    let sessions = window.sessions.get(&user).into_iter().flat_map(HashMap::values);
    stored
        .chain(fresh)
        .flat_map(of)
        .chain(sessions.flat_map(|record| [record.session.virtual_ip, record.session.virtual_ip6]))
        .flatten()
        .collect()
}

fn replay_track(
    plan: &Plan<'_>,
    window: &Window,
    track: TrackKey,
    name: &str,
    from: OffsetDateTime,
    work: &Work<'_>,
    changes: &mut Changes,
) {
    let server = &plan.servers[&track.0];
    let nothing = HashMap::new();
    let stored = window.sessions.get(&track.1).unwrap_or(&nothing);
    let earlier = stored.values().filter(|record| record.session.connected_at < from);
    let mut replayed = Track::new(
        &server.name,
        name,
        server.duplicate_cn,
        earlier.map(|record| record.session.clone()).collect(),
    );
    let waiting = |one: &&StoredEvent| one.vpn_user_id == Some(track.1) && one.event.event_time < from;
    replayed.wait_for(window.events.iter().filter(waiting).map(|one| &one.event));
    let mut facts = facts(window, track, name, from, work);
    facts.sort_by_key(Fact::key);
    replayed.apply_all(&facts);
    note_matches(window, track, &replayed, changes);
    let given: BTreeSet<Uuid> = replayed.sessions.iter().map(|session| session.id).collect();
    for record in stored.values().filter(|record| !given.contains(&record.session.id)) {
        changes.withdraw(record.clone());
    }
    changes.add(track, server, replayed, stored);
}

/// Stored and fresh facts of one track since `from`.
fn facts<'b>(window: &'b Window, track: TrackKey, name: &str, from: OffsetDateTime, work: &Work<'b>) -> Vec<Fact<'b>> {
    let since = window
        .events
        .iter()
        .map(|one| (one.vpn_user_id, &one.event))
        .filter(|(_, event)| event.event_time >= from);
    let stored = since.filter_map(|(user, event)| match (user, event.event_type) {
        (None, EventType::SessionSnapshot) => Some(Fact::Snapshot {
            event,
            entries: event
                .sessions
                .iter()
                .filter(|facts| facts.common_name == name)
                .collect(),
        }),
        (None, _) => Some(Fact::Restart(event)),
        (Some(user), _) => (user == track.1).then(|| Fact::Session {
            event,
            facts: &event.sessions[0],
        }),
    });
    let boots = window
        .boots
        .iter()
        .filter(|(_, at)| *at >= from)
        .map(|(boot_id, at)| Fact::Boot {
            at: *at,
            boot_id: *boot_id,
        });
    // Fresh boots are among the stored ones by now; takeovers are spread anew below.
    let fresh = work
        .facts
        .iter()
        .filter(|fact| !matches!(fact, Fact::Boot { .. } | Fact::Takeover(_)))
        .cloned();
    let takeovers = takeovers_of(&window.takeovers, track, &addresses(window, track.1, work));
    stored
        .chain(boots)
        .chain(fresh)
        .chain(
            takeovers
                .into_iter()
                .filter(|takeover| takeover.at >= from)
                .map(Fact::Takeover),
        )
        .collect()
}

/// Compares what stored events belong to now with what they belonged to before.
fn note_matches(window: &Window, track: TrackKey, replayed: &Track<'_>, changes: &mut Changes) {
    let effects: HashMap<Uuid, Effect> = replayed.effects.iter().copied().collect();
    for one in window.events.iter().filter(|one| one.vpn_user_id == Some(track.1)) {
        let event = &one.event;
        let (session_id, waits) = match effects.get(&event.event_id) {
            Some(Effect::Opened(id) | Effect::Matched(id)) => (Some(*id), false),
            Some(Effect::Unmatched) => (None, true),
            // From before the beginning, and still waiting.
            None => (one.session_id, one.waits),
        };
        if session_id != one.session_id {
            changes.rematched.push(Rematched {
                event_id: event.event_id,
                event_time: event.event_time,
                session_id,
            });
        }
        match (one.waits, waits) {
            (true, false) => changes.found.push(event.event_id),
            (false, true) => changes.lost.push(Unmatched {
                event_id: event.event_id,
                server_id: track.0,
                vpn_user_id: track.1,
                event_time: event.event_time,
                event_type: event.event_type,
                session_id: event.sessions[0].session_id,
            }),
            _ => {}
        }
    }
}
