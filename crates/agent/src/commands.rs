//! What the product asks of the agent: one long poll, a journal on disk, one hand that acts, and reports.

pub mod carry_out;
pub mod denials;
pub mod journal;
mod report;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_api::{Command, Commands as Told, TERMINATE};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use crate::client::{Answer, ApiClient};
use crate::clock;
use crate::config::Config;
use crate::core::CoreHandle;
use carry_out::{Attached, Hand};
use denials::{Denial, Denials};
use journal::{Journal, Record, State};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How much longer than the poll may wait its answer may take.
const ANSWER_MARGIN: Duration = Duration::from_secs(10);
/// How often denied VPN users are looked for among the sessions.
const ENFORCE: Duration = Duration::from_millis(500);
/// After this time a session that is still there is ended again.
const ENFORCE_AGAIN: Duration = Duration::from_secs(10);
/// How long the end of one session of a denied VPN user may take to begin.
const ENFORCE_WITHIN: Duration = Duration::from_secs(10);

/// Takes commands, carries them out and reports, for ever.
#[derive(Debug)]
pub struct Commands {
    client: ApiClient,
    state_dir: PathBuf,
    wait_seconds: u64,
    longest_pause: Duration,
    hand: Hand,
    denials: Mutex<Denials>,
}

impl Commands {
    /// With the list of denials that an earlier run has stored.
    pub fn new(
        client: ApiClient,
        config: &Config,
        journal: Arc<Journal>,
        core: CoreHandle,
        attached: Attached,
    ) -> Self {
        let denials = Denials::load(&config.state_dir).unwrap_or_else(|error| {
            tracing::warn!(%error, "The list of denials cannot be read; the product is asked for it.");
            Denials::default()
        });
        Self {
            client,
            state_dir: config.state_dir.clone(),
            wait_seconds: config.commands.wait_seconds,
            longest_pause: Duration::from_secs(config.send.longest_pause_seconds),
            hand: Hand {
                journal,
                core,
                attached,
                gone_within: Duration::from_secs(config.commands.gone_seconds),
            },
            denials: Mutex::new(denials),
        }
    }

    /// # Errors
    /// When the disk refuses.
    pub async fn run(self) -> anyhow::Result<()> {
        tokio::select! {
            result = self.poll() => result,
            result = report::run(&self.client, &self.hand.journal, self.longest_pause) => result,
            () = self.enforce() => Ok(()),
        }
    }

    async fn poll(&self) -> anyhow::Result<()> {
        let mut work = JoinSet::new();
        for record in self.hand.journal.unfinished() {
            work.spawn(self.hand.clone().prove(record));
        }
        let mut pause = FIRST_PAUSE;
        let mut said = String::new();
        loop {
            while let Some(done) = work.try_join_next() {
                done??;
            }
            match self.ask().await {
                Ok(told) => {
                    pause = FIRST_PAUSE;
                    said.clear();
                    let is_new = self.take(told, &mut work).await?;
                    self.client.health.was_asked();
                    if !is_new {
                        // It is handed out again until the report on it has arrived.
                        sleep(FIRST_PAUSE).await;
                    }
                    self.hand.journal.forget_old(clock::now_ms())?;
                }
                Err((wait, why)) => {
                    let wait = wait.map_or(pause, Duration::from_secs).min(self.longest_pause);
                    let wait = wait.mul_f64(1.0 + rand::random::<f64>() / 2.0);
                    if why != said {
                        tracing::warn!(why, "The product does not tell of commands now; it is asked again.");
                        said = why;
                    }
                    sleep(wait).await;
                    pause = (pause * 2).min(self.longest_pause);
                }
            }
        }
    }

    async fn ask(&self) -> Result<Told, (Option<u64>, String)> {
        let mut path = format!("/commands?wait_seconds={}", self.wait_seconds);
        if let Some(version) = &self.lock().version {
            path = format!("{path}&denials_version={version}");
        }
        let request = self.client.request(reqwest::Method::GET, &path);
        let request = request.timeout(Duration::from_secs(self.wait_seconds) + ANSWER_MARGIN);
        match self.client.send(request).await {
            Answer::Accepted(body) => serde_json::from_str(&body).map_err(|error| (None, error.to_string())),
            Answer::Later(wait, why) => Err((wait, why)),
            Answer::Refused(status, why) => Err((None, format!("{status}: {why}"))),
        }
    }

    /// Whether there was anything new.
    async fn take(&self, told: Told, work: &mut JoinSet<std::io::Result<()>>) -> anyhow::Result<bool> {
        let had_commands = !told.commands.is_empty();
        // First: who is ended shall not come back in between.
        let mut is_new = self.take_denials(told.denials, told.denials_version).await?;
        for command in told.commands {
            if self.hand.journal.knows(command.id) {
                // The product has not heard of it, or has lost it.
                self.hand.journal.report_again(command.id)?;
                continue;
            }
            is_new = true;
            let deadline = Instant::now() + Duration::from_millis(command.expires_in_ms);
            let is_known_kind = command.kind == TERMINATE;
            let record = self.record_of(command).await;
            self.hand.journal.write(record.clone())?;
            if is_known_kind {
                work.spawn(self.hand.clone().carry_out(record, deadline));
            }
        }
        Ok(is_new || !had_commands)
    }

    async fn record_of(&self, command: Command) -> Record {
        let standing = self.hand.core.standing(command.session_id, &command.common_name).await;
        let mut record = Record {
            id: command.id,
            session_id: command.session_id,
            common_name: command.common_name,
            watch_seconds: command.watch_seconds,
            others: standing.unwrap_or_default().others,
            state: State::Taken,
            reached_at: clock::now_ms(),
            accepted_at: None,
            gone_at: None,
            reconnected_session_id: None,
            failure: None,
            reported: None,
        };
        if command.kind != TERMINATE {
            record.state = State::Failed;
            record.failure = Some("This agent does not know commands of this kind; it is too old.".to_owned());
        }
        record
    }

    async fn take_denials(&self, told: Vec<agent_api::Denial>, version: String) -> anyhow::Result<bool> {
        let now = clock::Instant::now();
        let old = self.lock().clone();
        let mut denials = Vec::with_capacity(told.len());
        for denial in told {
            let known = old.denials.iter().find(|known| known.id == denial.id);
            let spared = match known {
                Some(known) => known.spared.clone(),
                None => self
                    .hand
                    .core
                    .sessions_of([denial.common_name.clone()].into())
                    .await
                    .into_iter()
                    .map(|(id, _)| id)
                    .collect(),
            };
            denials.push(Denial {
                id: denial.id,
                until: now.after(denial.expires_in_ms),
                common_name: denial.common_name,
                spared,
            });
        }
        let new = Denials {
            version: Some(version),
            denials,
        };
        let is_new = new.version != old.version;
        if !is_new && new.ends_as(&old, &now) {
            return Ok(false);
        }
        new.store(&self.state_dir)?;
        tracing::info!(
            denied = new.denials.len(),
            "The list of VPN users who may not connect is another one."
        );
        *self.lock() = new;
        Ok(is_new)
    }

    /// Ends the sessions of denied VPN users that no hook has kept out.
    async fn enforce(&self) {
        let mut looks = interval(ENFORCE);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ended: HashMap<Uuid, Instant> = HashMap::new();
        loop {
            looks.tick().await;
            let now = clock::Instant::now();
            let denials = self.lock().clone();
            let names = denials.names(&now);
            if names.is_empty() {
                ended.clear();
                continue;
            }
            ended.retain(|_, at| at.elapsed() < ENFORCE_AGAIN);
            let sessions = self.hand.core.sessions_of(names).await;
            for (session, common_name) in sessions {
                if denials.refuses(session, &common_name, &now) && ended.insert(session, Instant::now()).is_none() {
                    self.end_again(session, &common_name).await;
                }
            }
        }
    }

    async fn end_again(&self, session: Uuid, common_name: &str) {
        tracing::warn!(
            common_name,
            session_id = %session,
            "A VPN user who may not connect has connected, for the hook is not installed; the session is ended at once."
        );
        if let Err(why) = self.hand.end(session, Instant::now() + ENFORCE_WITHIN).await {
            tracing::error!(common_name, session_id = %session, why, "The session of a denied VPN user cannot be ended.");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Denials> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
