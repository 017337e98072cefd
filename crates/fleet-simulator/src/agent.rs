//! Talks to the agent API as an agent does: politely, and until it is accepted.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::clock;
use crate::keys::ServerKey;
use agent_api::{Batch, CommandResult, Commands, Event, Heartbeat, Inventory, InventoryBody, format_time};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a poll for commands may wait for one, and how long its answer may take.
const POLL_SECONDS: u64 = 25;
const POLL_TIMEOUT: Duration = Duration::from_secs(POLL_SECONDS + 10);

/// The agent of one VPN server.
#[derive(Debug)]
pub struct Agent {
    http: reqwest::Client,
    base_url: String,
    key: ServerKey,
    jitter: StdRng,
}

/// What the agent API answered to a batch. Counts are missing when it had not been processed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Answer {
    pub events_received: u64,
    pub events_accepted: u64,
    pub sessions_created: Option<u64>,
    pub sessions_updated: Option<u64>,
    pub duplicates: Option<u64>,
    pub errors: Vec<EventError>,
}

/// Why an event was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EventError {
    pub index: usize,
    pub error: String,
    pub detail: String,
}

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It makes no sense to send the same again.
    #[error("the agent API refused the request of {server} with {status}: {body}")]
    Refused {
        server: String,
        status: StatusCode,
        body: String,
    },
    #[error("cannot make a HTTP client")]
    Client(#[source] reqwest::Error),
}

impl Agent {
    /// An agent that sends to `base_url` (`http://host:port`); `seed` spreads its retries.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(base_url: &str, key: ServerKey, seed: u64) -> Result<Self, AgentError> {
        // Fails only when it has been done already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            // It speaks plain HTTP: reading the system's certificate authorities for each agent of a fleet would be waste.
            .tls_certs_only([])
            .timeout(REQUEST_TIMEOUT)
            .tcp_nodelay(true)
            .no_proxy()
            .build()
            .map_err(AgentError::Client)?;
        Ok(Self {
            http,
            base_url: base_url.trim_end_matches('/').to_owned(),
            key,
            jitter: StdRng::seed_from_u64(seed),
        })
    }

    /// The same agent, for requests that are made beside its others.
    pub fn another(&mut self) -> Self {
        Self {
            http: self.http.clone(),
            base_url: self.base_url.clone(),
            key: self.key.clone(),
            jitter: StdRng::from_rng(&mut self.jitter),
        }
    }

    pub fn server(&self) -> &str {
        &self.key.server
    }

    /// Sends a batch until it is accepted. Stop waiting by dropping the future.
    ///
    /// # Errors
    /// When it is refused for good.
    pub async fn send_events(&mut self, boot_id: Uuid, events: &[Event]) -> Result<Answer, AgentError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let batch = Batch {
                server_id: &self.key.server,
                sent_at: clock::now(),
                boot_id,
                events,
            };
            let request = self.http.post(format!("{}/api/v1/events", self.base_url)).json(&batch);
            match self.attempt(request).await? {
                Attempt::Accepted(body) => return Ok(serde_json::from_str(&body).unwrap_or_default()),
                Attempt::Again(wait) => tokio::time::sleep(self.pause(&mut pause, wait)).await,
            }
        }
    }

    /// Sends a heartbeat once: the next one will tell more. `false` when it did not get through.
    ///
    /// # Errors
    /// When it is refused for good.
    pub async fn send_heartbeat(&self, heartbeat: &Heartbeat) -> Result<bool, AgentError> {
        let mut body = json!(heartbeat);
        body["server_id"] = json!(self.key.server);
        body["sent_at"] = json!(format_time(clock::now()));
        let request = self
            .http
            .post(format!("{}/api/v1/heartbeat", self.base_url))
            .json(&body);
        Ok(matches!(self.attempt(request).await?, Attempt::Accepted(_)))
    }

    /// Sends an inventory until it is accepted. Stop waiting by dropping the future.
    ///
    /// # Errors
    /// When it is refused for good.
    pub async fn send_inventory(&mut self, inventory: &Inventory) -> Result<(), AgentError> {
        let mut pause = FIRST_PAUSE;
        let taken_at = clock::now();
        loop {
            let body = InventoryBody {
                server_id: &self.key.server,
                sent_at: clock::now(),
                taken_at,
                inventory,
            };
            let request = self.http.put(format!("{}/api/v1/inventory", self.base_url)).json(&body);
            match self.attempt(request).await? {
                Attempt::Accepted(_) => return Ok(()),
                Attempt::Again(wait) => tokio::time::sleep(self.pause(&mut pause, wait)).await,
            }
        }
    }

    /// Waits for commands and for a list of denials other than that of this version.
    ///
    /// # Errors
    /// When the agent is refused for good.
    pub async fn commands(&mut self, denials_version: Option<&str>) -> Result<Commands, AgentError> {
        let mut pause = FIRST_PAUSE;
        let mut url = format!("{}/api/v1/commands?wait_seconds={POLL_SECONDS}", self.base_url);
        if let Some(version) = denials_version {
            url = format!("{url}&denials_version={version}");
        }
        loop {
            let request = self.http.get(&url).timeout(POLL_TIMEOUT);
            let wait = match self.attempt(request).await? {
                Attempt::Accepted(body) => match serde_json::from_str(&body) {
                    Ok(commands) => return Ok(commands),
                    Err(error) => {
                        tracing::warn!(server = self.key.server, %error, "These are no commands; asking again.");
                        None
                    }
                },
                Attempt::Again(wait) => wait,
            };
            tokio::time::sleep(self.pause(&mut pause, wait)).await;
        }
    }

    /// Reports on a command until it is accepted. Times are relative: `result` is made for each attempt.
    ///
    /// # Errors
    /// When it is refused for good.
    pub async fn report<'a>(
        &mut self,
        command_id: Uuid,
        result: impl Fn() -> CommandResult<'a>,
    ) -> Result<(), AgentError> {
        let mut pause = FIRST_PAUSE;
        let url = format!("{}/api/v1/commands/{command_id}/result", self.base_url);
        loop {
            match self.attempt(self.http.post(&url).json(&result())).await? {
                Attempt::Accepted(_) => return Ok(()),
                Attempt::Again(wait) => tokio::time::sleep(self.pause(&mut pause, wait)).await,
            }
        }
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Attempt, AgentError> {
        let response = match request.bearer_auth(&self.key.key).send().await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(server = self.key.server, %error, "The agent API does not answer; trying again.");
                return Ok(Attempt::Again(None));
            }
        };
        let status = response.status();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        match (status, response.text().await) {
            (status, Ok(body)) if status.is_success() => Ok(Attempt::Accepted(body)),
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => Ok(Attempt::Again(wait)),
            (status, body) if status.is_client_error() => {
                let body = body.unwrap_or_default();
                Err(AgentError::Refused {
                    server: self.key.server.clone(),
                    status,
                    body,
                })
            }
            _ => Ok(Attempt::Again(wait)),
        }
    }

    /// What the server asks for, or else twice as long each time; never the same for all agents.
    fn pause(&mut self, pause: &mut Duration, wait: Option<u64>) -> Duration {
        let asked = wait.map(Duration::from_secs);
        let own = *pause;
        *pause = (own * 2).min(LONGEST_PAUSE);
        asked.unwrap_or(own).mul_f64(self.jitter.random_range(1.0..1.5))
    }
}

enum Attempt {
    Accepted(String),
    /// After this many seconds, if the server said so.
    Again(Option<u64>),
}
