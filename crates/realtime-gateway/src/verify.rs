//! Compares the sessions with the database: what was lost on the way is noticed, whatever the reason.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use db::{Db, live_session};
use service_kit::Shutdown;
use uuid::Uuid;

use crate::hub::Hub;
use crate::view::View;

/// How long a change may take from the commit to here before it counts as lost.
const ON_THE_WAY: Duration = Duration::from_secs(5);
/// Soon after the sessions were read from the cache, which may have been behind.
const FIRST_AFTER: Duration = Duration::from_secs(2);

/// A session, and the version the database has; `None` when it is not active there.
type Difference = (Uuid, Option<u32>);

/// Compares from time to time, and whenever the sessions were read anew.
pub(crate) async fn run(hub: Arc<Hub>, db: Db, every: Duration, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut generation = 0;
    while !shutdown.is_requested() {
        let pause = if hub.generation() == generation {
            every
        } else {
            FIRST_AFTER
        };
        generation = hub.generation();
        tokio::select! {
            () = wait(pause, &hub, generation) => {}
            () = shutdown.requested() => break,
        }
        // Read anew meanwhile: soon, not now.
        if hub.generation() != generation {
            continue;
        }
        match lasting_differences(&hub, &db).await {
            Ok(0) => metrics::counter!("realtime_comparisons_total").increment(1),
            Ok(count) => {
                tracing::warn!(
                    sessions = count,
                    "the live sessions differ from the database; they are read anew"
                );
                metrics::counter!("realtime_differences_total").increment(count as u64);
                hub.distrusted.notify_one();
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the live sessions could not be compared with the database"
            ),
        }
    }
    Ok(())
}

/// Ends early when the sessions are read anew.
async fn wait(pause: Duration, hub: &Hub, generation: u64) {
    let mut tip = hub.tip();
    let read_anew = async { while hub.generation() == generation && tip.changed().await.is_ok() {} };
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = read_anew => {}
    }
}

/// How many sessions differ now, and did so in the same way a while ago.
async fn lasting_differences(hub: &Hub, db: &Db) -> Result<usize, db::Error> {
    let generation = hub.generation();
    let before = differences(hub, db).await?;
    if before.is_empty() {
        return Ok(0);
    }
    tokio::time::sleep(ON_THE_WAY).await;
    let after = differences(hub, db).await?;
    if hub.generation() != generation {
        return Ok(0);
    }
    Ok(after.intersection(&before).count())
}

async fn differences(hub: &Hub, db: &Db) -> Result<HashSet<Difference>, db::Error> {
    let stored: HashMap<Uuid, u32> = live_session::active_versions(db)
        .await?
        .into_iter()
        .map(|(id, version)| (id, u32::try_from(version).unwrap_or_default()))
        .collect();
    Ok(hub.look(|live| compare(&live.view, &stored)).unwrap_or_default())
}

/// What the view lacks, and what it has too much. That it is ahead of what was read before is no difference.
fn compare(view: &View, stored: &HashMap<Uuid, u32>) -> HashSet<Difference> {
    let behind = stored
        .iter()
        .filter(|(id, version)| view.version_of(**id).is_none_or(|known| known < **version))
        .map(|(id, version)| (*id, Some(*version)));
    let surplus = view
        .active_ids()
        .filter(|(id, _)| !stored.contains_key(id))
        .map(|(id, _)| (id, None));
    behind.chain(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Seed;

    #[test]
    fn what_is_missing_outdated_or_surplus_differs() {
        let seed = |id, version| Seed {
            id: Uuid::from_u128(id),
            version,
            server_instance: "vpn-1".to_owned(),
            json: "{}".to_owned(),
        };
        let view = View::new(vec![seed(1, 2), seed(2, 2), seed(3, 2), seed(4, 2)]);
        let stored = [(1, 2), (2, 1), (3, 3), (5, 1)].map(|(id, version)| (Uuid::from_u128(id), version));
        let expected = [(3, Some(3)), (4, None), (5, Some(1))].map(|(id, version)| (Uuid::from_u128(id), version));
        assert_eq!(compare(&view, &HashMap::from(stored)), HashSet::from(expected));
    }
}
