//! Takes the portal's commands as the agent does: one long poll, each command carried out once, its end watched and reported.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use agent_api::{Command, CommandResult, CommandState, Denial, TERMINATE};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::vpn_server::VpnServer;
use crate::agent::{Agent, AgentError};
use crate::clock;

/// Commands that are carried out at once, at most; others are handed out again.
const MOST_AT_ONCE: usize = 100;
/// How often it is looked whether a VPN user has come back.
const LOOK: Duration = Duration::from_millis(250);
/// Before the product is asked again that has handed out only what is known already.
const NOTHING_NEW: Duration = Duration::from_millis(500);

/// Takes commands for ever.
///
/// # Errors
/// When the agent is refused for good.
pub(super) async fn take_commands(mut agent: Agent, server: Arc<VpnServer>) -> Result<(), AgentError> {
    let mut version = None;
    let mut work = JoinSet::new();
    let mut in_work: HashSet<Uuid> = HashSet::new();
    loop {
        let told = agent.commands(version.as_deref()).await?;
        while let Some(done) = work.try_join_next() {
            in_work.remove(&done.expect("carrying out a command does not panic"));
        }
        // First: who is ended shall not come back in between.
        if version.as_ref() != Some(&told.denials_version) {
            server.deny(in_force(told.denials));
            version = Some(told.denials_version);
        } else if told.commands.iter().all(|command| in_work.contains(&command.id)) {
            sleep(NOTHING_NEW).await;
        }
        for command in told.commands {
            if in_work.len() < MOST_AT_ONCE && in_work.insert(command.id) {
                work.spawn(carry_out(agent.another(), Arc::clone(&server), command));
            }
        }
    }
}

fn in_force(denials: Vec<Denial>) -> HashMap<String, OffsetDateTime> {
    let now = clock::now();
    let mut denied = HashMap::new();
    for denial in denials {
        let until = now + time::Duration::milliseconds(denial.expires_in_ms);
        let latest = denied.entry(denial.common_name).or_insert(until);
        *latest = until.max(*latest);
    }
    denied
}

/// Carries a command out, and gives its id when the product has heard of its end.
async fn carry_out(agent: Agent, server: Arc<VpnServer>, command: Command) -> Uuid {
    let id = command.id;
    let reporter = Reporter { agent, id };
    if let Err(error) = act(reporter, &server, command).await {
        tracing::error!(command_id = %id, %error, "The product refuses a command's result.");
    }
    id
}

async fn act(mut reporter: Reporter, server: &VpnServer, command: Command) -> Result<(), AgentError> {
    if command.kind != TERMINATE {
        return reporter
            .failed("The simulated fleet does not know commands of this kind.")
            .await;
    }
    if !server.terminate(command.session_id) {
        let failure = "The VPN server no longer had this session when the agent came to end it.";
        return reporter.failed(failure).await;
    }
    let gone = Instant::now();
    let until = gone + Duration::from_secs(command.watch_seconds);
    reporter.reached(CommandState::Accepted, gone, None).await?;
    reporter.reached(CommandState::Gone, gone, None).await?;
    loop {
        let new = server.session_of(&command.common_name);
        if new.is_some() {
            return reporter.reached(CommandState::Reconnected, gone, new).await;
        }
        if Instant::now() >= until {
            return reporter.reached(CommandState::StayedGone, gone, None).await;
        }
        sleep(LOOK).await;
    }
}

/// Tells the product how far one command has come.
struct Reporter {
    agent: Agent,
    id: Uuid,
}

impl Reporter {
    /// The session has ended at `gone`; this state is reached now.
    async fn reached(&mut self, state: CommandState, gone: Instant, new: Option<Uuid>) -> Result<(), AgentError> {
        let now = Instant::now();
        tracing::info!(server = self.agent.server(), command_id = %self.id, ?state, "A command has come further.");
        self.agent
            .report(self.id, || CommandResult {
                state,
                ms_ago: ms_since(now),
                accepted_ms_ago: Some(ms_since(gone)),
                gone_ms_ago: (state != CommandState::Accepted).then(|| ms_since(gone)),
                reconnected_session_id: new,
                failure: None,
            })
            .await
    }

    async fn failed(&mut self, failure: &str) -> Result<(), AgentError> {
        let now = Instant::now();
        tracing::info!(server = self.agent.server(), command_id = %self.id, failure, "A command has failed.");
        self.agent
            .report(self.id, || CommandResult {
                state: CommandState::Failed,
                ms_ago: ms_since(now),
                accepted_ms_ago: None,
                gone_ms_ago: None,
                reconnected_session_id: None,
                failure: Some(failure),
            })
            .await
    }
}

fn ms_since(at: Instant) -> i64 {
    i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)
}
