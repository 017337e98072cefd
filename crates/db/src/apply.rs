//! The processor's path: what a batch of requests changes, in one transaction and with a fixed number of set-based statements.
//!
//! The rules are [`domain::timeline`]'s. A batch loads, for every track (VPN user on VPN server) that it touches, the
//! sessions that something new may concern and continues the track from there. Where something new comes before what the
//! track has already taken into account, the track is replayed from its stored events instead ([`replay`]). Batches of one
//! server exclude one another by the lock on its `vpn_server_state` row, so any number of processors may run.

mod changes;
mod copy;
mod fresh;
mod inventory;
mod ledger;
mod load;
mod plan;
mod rebuild;
mod record;
mod replay;
mod state;
mod users;
mod write;

use std::collections::HashMap;

use domain::event::Event;
use domain::inventory::Inventory;
use domain::wire::Heartbeat;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

pub use changes::{ChangeKind, SessionChange};
pub use load::{NamedSession, open_sessions, sessions_by_ids};
pub use rebuild::{Difference, rebuild};
pub use record::SessionRecord;
pub use state::sweep_timeouts;
pub use users::KnownUsers;

use crate::{Db, Error};

/// One request of an agent, as far as ingest accepted it.
#[derive(Debug, Clone)]
pub struct Request {
    pub request_id: Uuid,
    /// `vpn_server.id` and its name.
    pub server_id: i32,
    pub server_name: String,
    pub boot_id: Option<Uuid>,
    /// The agent's clock when it sent the request.
    pub sent_at: Option<OffsetDateTime>,
    /// Ingest's clock when the request arrived.
    pub received_at: OffsetDateTime,
    pub events: Vec<Event>,
    /// Numbers of refused events: they did arrive.
    pub rejected_seqs: Vec<u64>,
    pub heartbeat: Option<Heartbeat>,
    pub inventory: Option<Inventory>,
}

/// What became of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub sessions_created: u32,
    pub sessions_updated: u32,
    pub duplicates: u32,
}

/// What a batch has changed.
#[derive(Debug, Default)]
pub struct Applied {
    /// One for each request, in their order.
    pub outcomes: Vec<Outcome>,
    pub changes: Vec<SessionChange>,
    /// Tracks that had to be replayed, for metrics.
    pub replayed: usize,
}

/// How often a transaction that collided with another one is run again.
const ATTEMPTS: usize = 5;

/// Applies requests in one transaction. With `re_emit`, every session that events applied before may have changed is reported
/// as changed again: for messages that are delivered anew, because their changes may never have been published.
///
/// # Errors
/// Nothing was applied then. [`Error::Refused`] when a value in the batch cannot be stored: isolate it by halving.
pub async fn apply(db: &Db, requests: &[Request], known: &mut KnownUsers, re_emit: bool) -> Result<Applied, Error> {
    ensure_partitions(db, requests, known).await?;
    let mut attempt = 1;
    loop {
        let result = apply_once(db, requests, known, re_emit).await;
        match result {
            Err(Error::Conflict(_)) if attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

async fn apply_once(db: &Db, requests: &[Request], known: &mut KnownUsers, re_emit: bool) -> Result<Applied, Error> {
    let mut transaction = db.connection.get_postgres_connection_pool().begin().await?;
    let (applied, users) = run(&mut transaction, requests, known, re_emit).await?;
    transaction.commit().await?;
    // Ids of users created by a transaction that is rolled back must not be remembered.
    known.remember(users);
    Ok(applied)
}

async fn run(
    connection: &mut PgConnection,
    requests: &[Request],
    known: &KnownUsers,
    re_emit: bool,
) -> Result<(Applied, HashMap<String, i64>), Error> {
    let mut servers = state::lock(connection, requests).await?;
    let fresh = fresh::find(connection, requests).await?;
    let inventories = inventory::newest(requests, &servers);
    let users = users::resolve(connection, &fresh, &inventories, known).await?;
    let boots = ledger::arrive(connection, requests, &fresh).await?;
    let plan = plan::build(connection, &fresh, &users, &servers, &boots).await?;
    let replayed = plan.replays();
    let mut changes = plan.carry_out(connection).await?;
    write::events(connection, &fresh, &users, &changes).await?;
    write::sessions(connection, &changes, &fresh.new_sessions).await?;
    write::unmatched(connection, &fresh, &users, &changes).await?;
    write::last_seen(connection, &changes).await?;
    inventory::replace(connection, &inventories, &users).await?;
    state::advance(connection, &mut servers, requests, &fresh, &boots).await?;
    if re_emit {
        re_emit_known(connection, &fresh, &mut changes).await?;
    }
    let outcomes = outcomes(requests, &fresh, &changes);
    Ok((
        Applied {
            outcomes,
            changes: changes.into_session_changes(&servers),
            replayed,
        },
        users.into_new(),
    ))
}

/// Reports the sessions that the events applied before may have changed as changed again.
async fn re_emit_known(
    connection: &mut PgConnection,
    fresh: &fresh::Fresh<'_>,
    changes: &mut changes::Changes,
) -> Result<(), Error> {
    let (Some(since), servers) = fresh.known_since() else {
        return Ok(());
    };
    let records = load::changed_since(connection, &servers, since).await?;
    let users: Vec<i64> = records.iter().map(|record| record.vpn_user_id).collect();
    let names = load::names(connection, &users).await?;
    changes.add_unchanged(records, names);
    Ok(())
}

fn outcomes(requests: &[Request], fresh: &fresh::Fresh<'_>, changes: &changes::Changes) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = fresh
        .duplicates_of
        .iter()
        .map(|duplicates| Outcome {
            duplicates: *duplicates,
            ..Outcome::default()
        })
        .collect();
    debug_assert_eq!(outcomes.len(), requests.len());
    for item in &fresh.events {
        let (opened, matched) = changes.counts_of(item.event.event_id);
        outcomes[item.request].sessions_created += opened;
        outcomes[item.request].sessions_updated += matched;
    }
    outcomes
}

/// Creates the monthly partitions that the batch's events fall into, outside of its transaction and once per month.
async fn ensure_partitions(db: &Db, requests: &[Request], known: &mut KnownUsers) -> Result<(), Error> {
    let months = requests.iter().flat_map(|request| &request.events).map(|event| {
        let date = event.event_time.date();
        (date.year(), u8::from(date.month()))
    });
    let missing: std::collections::BTreeSet<(i32, u8)> = months.filter(|month| !known.has_partition(*month)).collect();
    for (year, month) in missing {
        sqlx::query("SELECT ensure_event_partition(make_timestamptz($1, $2, 1, 0, 0, 0, 'UTC'))")
            .bind(year)
            .bind(i32::from(month))
            .execute(db.connection.get_postgres_connection_pool())
            .await?;
        known.add_partition((year, month));
    }
    Ok(())
}
