//! Which tracks a batch touches, from which sessions each continues, and which must be replayed instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use domain::event::{EventType, SessionFacts};
use domain::session::Session;
use domain::timeline::{Fact, SAME_CONNECT, Takeover, Track};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::changes::Changes;
use super::fresh::Fresh;
use super::ledger::Boots;
use super::load::{self, ByAddress, Connect, TrackKey};
use super::record::SessionRecord;
use super::replay;
use super::state::ServerState;
use super::users::Users;
use crate::Error;

/// What a batch brings to one track, and the stored sessions it may concern.
#[derive(Default)]
pub(super) struct Work<'a> {
    pub(super) facts: Vec<Fact<'a>>,
    pub(super) stored: HashMap<Uuid, SessionRecord>,
    /// The track must be replayed from here, because something new comes before something known.
    pub(super) replay_from: Option<OffsetDateTime>,
}

impl Work<'_> {
    fn first(&self) -> Option<OffsetDateTime> {
        self.facts.iter().map(Fact::at).min()
    }

    fn replay_since(&mut self, at: OffsetDateTime) {
        self.replay_from = Some(self.replay_from.map_or(at, |known| known.min(at)));
    }

    fn own(&self) -> impl Iterator<Item = (EventType, &SessionFacts)> {
        self.facts.iter().flat_map(|fact| match fact {
            Fact::Session { event, facts } => vec![(event.event_type, *facts)],
            Fact::Snapshot { event, entries } => entries.iter().map(|entry| (event.event_type, *entry)).collect(),
            _ => Vec::new(),
        })
    }
}

/// The connects of a batch that name an address, by server and address.
pub(super) type Takeovers = HashMap<(i32, IpAddr), Vec<(i64, Takeover)>>;

pub(super) struct Plan<'a> {
    pub(super) works: BTreeMap<TrackKey, Work<'a>>,
    pub(super) servers: &'a BTreeMap<i32, ServerState>,
    pub(super) names: HashMap<i64, String>,
    pub(super) takeovers: Takeovers,
    /// Servers for which something in the batch is no later than what was applied before.
    late: BTreeSet<i32>,
}

/// Plans the batch: reads what it needs, changes nothing.
pub(super) async fn build<'a>(
    connection: &mut PgConnection,
    fresh: &Fresh<'a>,
    users: &Users<'a>,
    servers: &'a BTreeMap<i32, ServerState>,
    boots: &Boots,
) -> Result<Plan<'a>, Error> {
    let late = late_servers(fresh, servers, boots);
    let mut plan = Plan {
        works: BTreeMap::new(),
        servers,
        names: HashMap::new(),
        takeovers: HashMap::new(),
        late,
    };
    let connects = plan.add_own(fresh, users);
    plan.add_shared(connection, fresh, users, boots).await?;
    plan.add_holders(connection, &connects).await?;
    plan.load(connection, fresh, users).await?;
    plan.spread_takeovers();
    plan.judge(connection, users).await?;
    plan.names = names(connection, plan.works.keys().map(|key| key.1), users).await?;
    Ok(plan)
}

/// Servers for which something in the batch is no later than what was applied before.
fn late_servers(fresh: &Fresh<'_>, servers: &BTreeMap<i32, ServerState>, boots: &Boots) -> BTreeSet<i32> {
    let is_late =
        |server_id: i32, at: OffsetDateTime| servers[&server_id].last_event_at.is_some_and(|known| at <= known);
    let events = fresh.events.iter().map(|item| (item.server_id, item.event.event_time));
    events
        .chain(boots.starts())
        .filter(|(server_id, at)| is_late(*server_id, *at))
        .map(|(id, _)| id)
        .collect()
}

impl<'a> Plan<'a> {
    pub(super) fn replays(&self) -> usize {
        self.works.values().filter(|work| work.replay_from.is_some()).count()
    }

    /// The session events of each track; returns the connects that name an address.
    fn add_own(&mut self, fresh: &Fresh<'a>, users: &Users<'a>) -> Vec<Connect> {
        let mut connects = Vec::new();
        for item in &fresh.events {
            let (event, Some(name)) = (item.event, item.event.common_name()) else {
                continue;
            };
            let track = (item.server_id, users.id(name));
            let facts = &event.sessions[0];
            self.works
                .entry(track)
                .or_default()
                .facts
                .push(Fact::Session { event, facts });
            if let Some(takeover) = Takeover::of(event) {
                for ip in [takeover.virtual_ip, takeover.virtual_ip6].into_iter().flatten() {
                    self.takeovers
                        .entry((track.0, ip))
                        .or_default()
                        .push((track.1, takeover));
                }
                let (at, virtual_ip, virtual_ip6) = (event.event_time, facts.virtual_ip, facts.virtual_ip6);
                connects.push(Connect {
                    track,
                    at,
                    virtual_ip,
                    virtual_ip6,
                });
            }
        }
        connects
    }

    /// Restarts, boots and snapshots reach every track of their server that has, or had, an open session.
    async fn add_shared(
        &mut self,
        connection: &mut PgConnection,
        fresh: &Fresh<'a>,
        users: &Users<'a>,
        boots: &Boots,
    ) -> Result<(), Error> {
        let mut shared: BTreeMap<i32, Vec<Fact<'a>>> = BTreeMap::new();
        for item in &fresh.events {
            let (event, facts) = (item.event, shared.entry(item.server_id));
            match event.event_type {
                EventType::ServerStarted | EventType::ServerStopped => facts.or_default().push(Fact::Restart(event)),
                EventType::SessionSnapshot => {
                    facts.or_default().push(Fact::Snapshot {
                        event,
                        entries: Vec::new(),
                    });
                    for entry in &event.sessions {
                        self.works
                            .entry((item.server_id, users.id(&entry.common_name)))
                            .or_default();
                    }
                }
                _ => {}
            }
        }
        for boot in &boots.changed {
            shared.entry(boot.server_id).or_default().push(Fact::Boot {
                at: boot.at,
                boot_id: boot.boot_id,
            });
        }
        let (late_shared, in_order): (Vec<i32>, Vec<i32>) = shared.keys().partition(|id| self.late.contains(id));
        let mut reached = load::users_with_open_sessions(connection, &in_order).await?;
        for server_id in late_shared {
            let (from, before) = reach(&shared[&server_id], boots, server_id);
            let concerned = load::users_with_sessions_since(connection, server_id, from, before).await?;
            // A boot that began earlier than thought takes back what its later beginning had ended.
            if boots
                .changed
                .iter()
                .any(|boot| boot.server_id == server_id && boot.before.is_some())
            {
                for track in &concerned {
                    self.works.entry(*track).or_default().replay_since(from);
                }
            }
            reached.extend(concerned);
        }
        for track in reached {
            self.works.entry(track).or_default();
        }
        self.spread_shared(&shared, users);
        Ok(())
    }

    fn spread_shared(&mut self, shared: &BTreeMap<i32, Vec<Fact<'a>>>, users: &Users<'a>) {
        // Each snapshot's entries, sorted out by user once.
        let mut entries: HashMap<(Uuid, i64), Vec<&'a SessionFacts>> = HashMap::new();
        for fact in shared.values().flatten() {
            if let Fact::Snapshot { event, .. } = fact {
                for entry in &event.sessions {
                    entries
                        .entry((event.event_id, users.id(&entry.common_name)))
                        .or_default()
                        .push(entry);
                }
            }
        }
        for (track, work) in &mut self.works {
            for fact in shared.get(&track.0).into_iter().flatten() {
                work.facts.push(match fact {
                    Fact::Snapshot { event, .. } => Fact::Snapshot {
                        event,
                        entries: entries.get(&(event.event_id, track.1)).cloned().unwrap_or_default(),
                    },
                    other => other.clone(),
                });
            }
        }
    }

    /// Tracks of other users who hold an address that a connect takes.
    async fn add_holders(&mut self, connection: &mut PgConnection, connects: &[Connect]) -> Result<(), Error> {
        let (late, in_order): (Vec<&Connect>, Vec<&Connect>) = connects
            .iter()
            .partition(|connect| self.late.contains(&connect.track.0));
        for track in load::holders(connection, &in_order).await? {
            self.works.entry(track).or_default();
        }
        for (index, holder) in load::holders_around(connection, &late).await? {
            let at = late[index].at;
            // Which of the two was first is for the replay to find out.
            self.works.entry(holder).or_default().replay_since(at);
            self.works.entry(late[index].track).or_default().replay_since(at);
        }
        Ok(())
    }

    /// Loads the sessions from which each track continues.
    async fn load(&mut self, connection: &mut PgConnection, fresh: &Fresh<'a>, users: &Users<'a>) -> Result<(), Error> {
        let tracks: Vec<TrackKey> = self
            .works
            .keys()
            .copied()
            .filter(|track| !users.is_created(track.1))
            .collect();
        if tracks.is_empty() {
            return Ok(());
        }
        let heads = load::heads(connection, &tracks).await?;
        self.keep(heads);
        let named = load::by_ids(connection, &self.named_but_not_loaded(fresh)).await?;
        self.keep(named);
        let by_address = load::latest_with_address(connection, &self.addressed_but_not_loaded(users)).await?;
        self.keep(by_address);
        Ok(())
    }

    /// Keeps sessions of tracks that the batch touches; a session of another track is none of its business.
    fn keep(&mut self, records: Vec<SessionRecord>) {
        for record in records {
            if let Some(work) = self.works.get_mut(&(record.server_id, record.vpn_user_id)) {
                work.stored.insert(record.session.id, record);
            }
        }
    }

    /// Sessions that events of the batch name by id.
    fn named_but_not_loaded(&self, fresh: &Fresh<'_>) -> Vec<Uuid> {
        let named = |work: &Work<'a>| -> Vec<Uuid> {
            // A connect names itself: a snapshot may have shown it before.
            let connects = work.facts.iter().filter_map(|fact| match fact {
                Fact::Session { event, .. } if event.event_type == EventType::SessionConnected => Some(event.event_id),
                _ => None,
            });
            let ids = work.own().filter_map(|(_, facts)| facts.session_id).chain(connects);
            ids.filter(|id| !work.stored.contains_key(id) && !fresh.new_sessions.contains(id))
                .collect()
        };
        self.works.values().flat_map(named).collect()
    }

    /// Events that name their session by an address that the track's last session does not have.
    fn addressed_but_not_loaded(&self, users: &Users<'a>) -> Vec<ByAddress> {
        let mut wanted = Vec::new();
        for (track, work) in self.works.iter().filter(|(track, _)| !users.is_created(track.1)) {
            let latest = work
                .stored
                .values()
                .map(|record| &record.session)
                .max_by_key(|one| (one.connected_at, one.id));
            for (event_type, facts) in work.own() {
                let by_address = matches!(event_type, EventType::SessionUpdated | EventType::SessionDisconnected)
                    && facts.session_id.is_none();
                if by_address && latest.is_some_and(|latest| !has_address(latest, facts)) {
                    let (virtual_ip, virtual_ip6) = (facts.virtual_ip, facts.virtual_ip6);
                    wanted.push(ByAddress {
                        track: *track,
                        virtual_ip,
                        virtual_ip6,
                    });
                }
            }
        }
        wanted
    }

    /// Connects of the batch reach the other tracks that hold, or will hold, their address.
    fn spread_takeovers(&mut self) {
        for (track, work) in &mut self.works {
            let addresses: BTreeSet<IpAddr> = work
                .own()
                .flat_map(|(_, facts)| [facts.virtual_ip, facts.virtual_ip6])
                .chain(
                    work.stored
                        .values()
                        .flat_map(|one| [one.session.virtual_ip, one.session.virtual_ip6]),
                )
                .flatten()
                .collect();
            let takeovers = takeovers_of(&self.takeovers, *track, &addresses);
            work.facts.extend(takeovers.into_iter().map(Fact::Takeover));
        }
    }

    /// Decides which tracks must be replayed.
    async fn judge(&mut self, connection: &mut PgConnection, users: &Users<'a>) -> Result<(), Error> {
        let known = |track: &TrackKey| !users.is_created(track.1);
        let of_late: Vec<TrackKey> = self
            .works
            .keys()
            .copied()
            .filter(|track| self.late.contains(&track.0))
            .collect();
        for (track, mark) in load::watermarks(connection, &of_late).await? {
            let shared = self.servers[&track.0].last_shared_at;
            let Some(work) = self.works.get_mut(&track) else {
                continue;
            };
            if let Some(first) = work
                .first()
                .filter(|first| mark.max(shared).is_some_and(|mark| *first <= mark))
            {
                work.replay_since(first);
            }
        }
        let opening: Vec<TrackKey> = self
            .works
            .iter()
            .filter(|(track, work)| known(track) && may_open(work))
            .map(|(track, _)| *track)
            .collect();
        for (track, earliest) in load::waiting(connection, &opening).await? {
            let Some(work) = self.works.get_mut(&track) else {
                continue;
            };
            if let Some(first) = work.first() {
                work.replay_since(first.min(earliest));
            }
        }
        for (_, work) in self.works.iter_mut().filter(|(track, _)| known(track)) {
            if let Some(at) = lists_ended(work) {
                work.replay_since(at);
            }
        }
        Ok(())
    }

    /// Continues or replays every track.
    pub(super) async fn carry_out(mut self, connection: &mut PgConnection) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        for (track, work) in self.works.iter_mut().filter(|(_, work)| work.replay_from.is_none()) {
            let server = &self.servers[&track.0];
            work.facts.sort_by_key(Fact::key);
            let sessions: Vec<Session> = work.stored.values().map(|record| record.session.clone()).collect();
            let mut continued = Track::new(&server.name, &self.names[&track.1], server.duplicate_cn, sessions);
            continued.apply_all(&work.facts);
            if self.late.contains(&track.0) && continued.sessions.iter().any(|session| gained_address(session, work)) {
                work.replay_from = work.first();
            } else {
                changes.add(*track, server, continued, &work.stored);
            }
        }
        replay::replay(connection, &self, &mut changes).await?;
        changes.names = self.names;
        Ok(changes)
    }
}

/// The takeovers of these addresses by users of other tracks.
pub(super) fn takeovers_of(takeovers: &Takeovers, track: TrackKey, addresses: &BTreeSet<IpAddr>) -> Vec<Takeover> {
    let mut found: BTreeMap<Uuid, Takeover> = BTreeMap::new();
    for ip in addresses {
        for (by, takeover) in takeovers
            .get(&(track.0, *ip))
            .into_iter()
            .flatten()
            .filter(|(by, _)| *by != track.1)
        {
            debug_assert_ne!(*by, track.1);
            found.insert(takeover.session_id, *takeover);
        }
    }
    found.into_values().collect()
}

/// From the earliest to the latest instant that shared facts concern.
fn reach(facts: &[Fact<'_>], boots: &Boots, server_id: i32) -> (OffsetDateTime, OffsetDateTime) {
    let times = facts.iter().map(Fact::at);
    let moved = boots
        .changed
        .iter()
        .filter(|boot| boot.server_id == server_id)
        .filter_map(|boot| boot.before);
    let all: Vec<OffsetDateTime> = times.chain(moved).collect();
    let first = all
        .iter()
        .copied()
        .min()
        .expect("a server with shared facts has at least one");
    (first, all.iter().copied().max().unwrap_or(first))
}

/// Whether a session holds an address that it did not hold before the batch, other than by a connect: then a connect that is
/// known already may have taken that address since.
fn gained_address(session: &Session, work: &Work<'_>) -> bool {
    let holds = session.is_open() && (session.virtual_ip.is_some() || session.virtual_ip6.is_some());
    match work.stored.get(&session.id).map(|record| &record.session) {
        None => holds && session.opened_by_snapshot,
        Some(before) => {
            let addresses = |one: &Session| (one.virtual_ip, one.virtual_ip6);
            holds && (!before.is_open() || addresses(before) != addresses(session))
        }
    }
}

fn has_address(session: &Session, facts: &SessionFacts) -> bool {
    facts.virtual_ip.is_none_or(|ip| session.virtual_ip == Some(ip))
        && facts.virtual_ip6.is_none_or(|ip| session.virtual_ip6 == Some(ip))
}

/// Whether the work may open a session for which events wait.
fn may_open(work: &Work<'_>) -> bool {
    work.own()
        .any(|(kind, _)| matches!(kind, EventType::SessionConnected | EventType::SessionSnapshot))
}

/// The time from which to replay a track because a snapshot lists a session by its connect time that is not among the open
/// ones: it may be one that ended before what was loaded.
fn lists_ended(work: &Work<'_>) -> Option<OffsetDateTime> {
    let first = work.first()?;
    let connects = work.facts.iter().filter_map(|fact| match fact {
        Fact::Session { event, .. } if event.event_type == EventType::SessionConnected => Some(event.event_time),
        _ => None,
    });
    let open: Vec<OffsetDateTime> = work
        .stored
        .values()
        .filter(|record| record.session.is_open())
        .map(|record| record.session.connected_at)
        .chain(connects)
        .collect();
    let listed = work
        .own()
        .filter(|(kind, facts)| *kind == EventType::SessionSnapshot && facts.session_id.is_none());
    let connected: Vec<OffsetDateTime> = listed.filter_map(|(_, facts)| facts.connected_at).collect();
    let unknown = connected
        .iter()
        .filter(|at| !open.iter().any(|known| (**at - *known).abs() <= SAME_CONNECT));
    unknown.map(|at| first.min(at.saturating_sub(SAME_CONNECT))).min()
}

/// The common names of users: from the batch, else from the table.
async fn names(
    connection: &mut PgConnection,
    ids: impl Iterator<Item = i64>,
    users: &Users<'_>,
) -> Result<HashMap<i64, String>, Error> {
    let mut names: HashMap<i64, String> = users.names().map(|(id, name)| (id, name.to_owned())).collect();
    let missing: Vec<i64> = ids.filter(|id| !names.contains_key(id)).collect();
    names.extend(load::names(connection, &missing).await?);
    Ok(names)
}
