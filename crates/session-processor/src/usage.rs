//! Counts the bytes of sessions by hour, and keeps heartbeats as history, off the path of the events.
//!
//! Every `USAGE_COUNT_SECONDS` it counts what has changed among open and recently ended sessions: of an open one the hours
//! since it was counted last, of an ended one its whole life. Every `USAGE_COUNT_ALL_SECONDS` it counts the whole life of every session that has
//! changed since the last such time: that makes good what late events change in older hours. Replicas take turns.

use std::collections::HashMap;
use std::time::Instant;

use db::Db;
use db::usage::{self, Changed, Hold, Since};
use service_kit::{Shutdown, clock};
use time::Duration;
use uuid::Uuid;

use crate::config::UsageConfig;

/// Sessions counted in one statement.
const AT_ONCE: usize = 500;
/// Blocks of the table of sessions (8 KiB each) that are looked through in one statement.
const BLOCKS: i64 = 4_096;
/// How long a replica that has died may keep the others from counting, seconds.
const HELD: u32 = 120;
/// A transaction that has begun before the last count may have been committed after it.
const OVERLAP: Duration = Duration::minutes(2);
/// An open session is counted anew from the hour of the last count less this: its readings may be late by so much.
const LATE: Duration = Duration::minutes(10);

/// One replica's count.
struct Counter {
    db: Db,
    config: UsageConfig,
    holder: Uuid,
    /// Versions of the sessions as they were last counted: the overlap finds most of them again.
    counted: HashMap<Uuid, i32>,
}

pub(crate) async fn run(db: Db, config: UsageConfig, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut counter = Counter {
        db,
        config,
        holder: clock::new_id(),
        counted: HashMap::new(),
    };
    while !shutdown.is_requested() {
        if let Err(error) = counter.turn(&shutdown).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "usage could not be counted");
        }
        tokio::select! {
            () = tokio::time::sleep(counter.config.interval()) => {}
            () = shutdown.requested() => {}
        }
    }
    let released = usage::release(&counter.db, counter.holder).await;
    if let Err(error) = released {
        tracing::debug!(error = &error as &dyn std::error::Error, "another replica counts later");
    }
    Ok(())
}

impl Counter {
    async fn turn(&mut self, shutdown: &Shutdown) -> Result<(), db::Error> {
        self.keep_health().await?;
        let Some(hold) = usage::hold(&self.db, self.holder, HELD).await? else {
            self.counted.clear();
            return Ok(());
        };
        let started = Instant::now();
        let Some(all_until) = hold.progress.all_until else {
            return self.count_all(hold, shutdown).await;
        };
        self.count_recent(hold).await?;
        metrics::histogram!("processor_usage_count_seconds").record(started.elapsed().as_secs_f64());
        if hold.now - all_until >= self.config.all_interval() {
            self.count_all(hold, shutdown).await?;
        }
        Ok(())
    }

    /// Heartbeats of the last minute become history.
    async fn keep_health(&self) -> Result<(), db::Error> {
        db::health_history::sample(&self.db).await?;
        let oldest = clock::now() - Duration::days(self.config.health_samples_days.into());
        db::health_history::forget(&self.db, oldest).await?;
        Ok(())
    }

    async fn count_recent(&mut self, hold: Hold) -> Result<(), db::Error> {
        let last = hold.progress.recent_until.unwrap_or(hold.now);
        let changed = usage::changed_recently(&self.db, last - OVERLAP).await?;
        let is_new = |one: &&Changed| self.counted.get(&one.id) != Some(&one.version);
        let new: Vec<Changed> = changed.iter().filter(is_new).copied().collect();
        let from = last - LATE;
        self.count(&new, |one| match one.uncounted_from {
            Some(hour) => Since::Hour(from.min(hour)),
            None => Since::WholeLife,
        })
        .await?;
        self.counted = changed.iter().map(|one| (one.id, one.version)).collect();
        usage::finish_recent(&self.db, self.holder, hold.now).await
    }

    /// Walks through the whole table, and counts what has changed since the last walk.
    async fn count_all(&mut self, hold: Hold, shutdown: &Shutdown) -> Result<(), db::Error> {
        let since = hold.progress.all_until.map(|last| last - OVERLAP);
        let blocks = usage::all_blocks(&self.db).await?;
        let mut first = 0;
        let mut sessions = 0;
        while first < blocks {
            if shutdown.is_requested() || usage::hold(&self.db, self.holder, HELD).await?.is_none() {
                return Ok(());
            }
            let changed = usage::changed_in_blocks(&self.db, since, first, BLOCKS).await?;
            sessions += changed.len();
            self.count(&changed, |_| Since::WholeLife).await?;
            first += BLOCKS;
        }
        tracing::info!(sessions, "the bytes of every changed session are counted");
        usage::finish_all(&self.db, self.holder, hold.now).await
    }

    async fn count(&self, changed: &[Changed], since: impl Fn(&Changed) -> Since) -> Result<(), db::Error> {
        for piece in changed.chunks(AT_ONCE) {
            let sessions: Vec<(Uuid, Since)> = piece.iter().map(|one| (one.id, since(one))).collect();
            let hours = usage::count(&self.db, &sessions).await?;
            metrics::counter!("processor_usage_sessions_total").increment(piece.len() as u64);
            metrics::counter!("processor_usage_hours_total").increment(hours);
            usage::hold(&self.db, self.holder, HELD).await?;
        }
        Ok(())
    }
}
