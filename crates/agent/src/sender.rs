//! Brings what is in the spool to the product: in order, in batches, until each is accepted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;
use uuid::Uuid;

use crate::client::{Answer, ApiClient};
use crate::clock;
use crate::config::{Config, Send};
use crate::core::{Spooled, View};
use crate::files::replace;
use crate::spool::{Record, read_from};

/// Uncompressed, below the product's own limit of 5 MiB with room for the frame.
const MAX_BODY: usize = 4 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The sending end of the spool.
#[derive(Debug)]
pub struct Sender {
    client: ApiClient,
    settings: Send,
    spool: PathBuf,
    state: PathBuf,
    view: watch::Receiver<View>,
    sent: watch::Sender<u64>,
}

/// An event that the product calls invalid, of its answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusals {
    errors: Vec<Refusal>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    index: usize,
    error: String,
    detail: String,
}

impl Sender {
    /// # Errors
    /// When the place reached by an earlier run cannot be read.
    pub fn new(client: ApiClient, config: &Config, view: watch::Receiver<View>, sent: watch::Sender<u64>) -> Self {
        Self {
            client,
            settings: config.send.clone(),
            spool: config.spool_dir(),
            state: config.state_dir.clone(),
            view,
            sent,
        }
    }

    /// Sends for ever.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut next = *self.sent.borrow();
        let mut size = self.settings.batch_events;
        loop {
            if self.view.wait_for(|view| view.next_index > next).await.is_err() {
                return Ok(());
            }
            let waiting = self.view.borrow().next_index - next;
            if waiting < size as u64 {
                tokio::time::sleep(Duration::from_millis(self.settings.linger_ms)).await;
            }
            let spool = self.spool.clone();
            let records = tokio::task::spawn_blocking(move || read_from(&spool, next, size, MAX_BODY)).await??;
            let records = of_one_boot(records);
            let Some(last) = records.last().map(|record| record.index) else {
                next = self.view.borrow().next_index;
                continue;
            };
            match self.deliver(&records).await? {
                Delivered::All => {
                    next = last + 1;
                    size = (size * 2).min(self.settings.batch_events);
                    self.advance(next)?;
                }
                // Halved until the one that is refused stands alone.
                Delivered::Refused(_) if records.len() > 1 => size = records.len() / 2,
                Delivered::Refused(why) => {
                    self.dead_letter(&records[0], &why)?;
                    next = last + 1;
                    self.advance(next)?;
                }
            }
        }
    }

    fn advance(&self, next: u64) -> std::io::Result<()> {
        replace(&self.state.join("sent"), next.to_string().as_bytes())?;
        self.sent.send_replace(next);
        Ok(())
    }

    async fn deliver(&mut self, records: &[Record]) -> anyhow::Result<Delivered> {
        let mut pause = FIRST_PAUSE;
        loop {
            // Anew each time: `sent_at` is what the product measures the clock's skew by.
            let body = body(&self.client.server_id, records)?;
            let request = self
                .client
                .request(reqwest::Method::POST, "/events")
                .header(CONTENT_TYPE, "application/json")
                .header(CONTENT_ENCODING, "zstd")
                .header("prefer", "respond-async")
                .body(body);
            match self.client.send(request).await {
                Answer::Accepted(answer) => {
                    self.keep_refused(records, &answer)?;
                    return Ok(Delivered::All);
                }
                Answer::Refused(StatusCode::UNPROCESSABLE_ENTITY, answer) => {
                    // The product has kept each with its reason.
                    self.keep_refused(records, &answer)?;
                    return Ok(Delivered::All);
                }
                Answer::Refused(status, why) => return Ok(Delivered::Refused(format!("{status}: {why}"))),
                Answer::Later(wait, why) => {
                    let wait = self.pause(&mut pause, wait);
                    tracing::warn!(
                        why,
                        seconds = wait.as_secs_f64(),
                        waiting = records.len(),
                        "The product does not take events now; they stay in the spool."
                    );
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// What the product asks for, or else twice as long each time; never the same for all agents.
    fn pause(&self, pause: &mut Duration, asked: Option<u64>) -> Duration {
        let own = *pause;
        *pause = (own * 2).min(Duration::from_secs(self.settings.longest_pause_seconds));
        let base = asked
            .map_or(own, Duration::from_secs)
            .min(Duration::from_secs(self.settings.longest_pause_seconds));
        base.mul_f64(1.0 + rand::random::<f64>() / 2.0)
    }

    fn keep_refused(&self, records: &[Record], answer: &str) -> std::io::Result<()> {
        let refusals: Refusals = serde_json::from_str(answer).unwrap_or_default();
        for refusal in refusals.errors {
            if let Some(record) = records.get(refusal.index) {
                self.dead_letter(record, &format!("{}: {}", refusal.error, refusal.detail))?;
            }
        }
        Ok(())
    }

    fn dead_letter(&self, record: &Record, why: &str) -> std::io::Result<()> {
        tracing::error!(
            index = record.index,
            why,
            "The product refuses an event; it is kept in the dead letters."
        );
        self.client.health.dead_letter(why);
        append_dead_letter(&self.state.join(DEAD_LETTERS), &record.payload, why)
    }
}

enum Delivered {
    All,
    Refused(String),
}

/// A request is about one life of the daemon.
fn of_one_boot(mut records: Vec<Record>) -> Vec<Record> {
    let boot = |record: &Record| {
        serde_json::from_slice::<Spooled<&RawValue>>(&record.payload)
            .map(|spooled| spooled.boot_id)
            .ok()
    };
    let first = records.first().and_then(boot);
    let same = records.iter().take_while(|record| boot(record) == first).count();
    records.truncate(same);
    records
}

fn body(server_id: &str, records: &[Record]) -> anyhow::Result<Vec<u8>> {
    #[derive(serde::Serialize)]
    struct Body<'a> {
        server_id: &'a str,
        sent_at: String,
        boot_id: Uuid,
        events: Vec<&'a RawValue>,
    }
    let spooled: Vec<Spooled<&RawValue>> = records
        .iter()
        .map(|record| serde_json::from_slice(&record.payload))
        .collect::<Result<_, _>>()?;
    let body = Body {
        server_id,
        sent_at: agent_api::format_time(clock::now()),
        boot_id: spooled.first().map(|spooled| spooled.boot_id).unwrap_or_default(),
        events: spooled.iter().map(|spooled| spooled.event).collect(),
    };
    Ok(zstd::encode_all(serde_json::to_vec(&body)?.as_slice(), 3)?)
}

/// Index of the first record that an earlier run had not brought to the product.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn sent_so_far(state: &Path) -> std::io::Result<u64> {
    match std::fs::read_to_string(state.join("sent")) {
        // Sent again at worst: the product recognises every event.
        Ok(text) => Ok(text.trim().parse().unwrap_or(1)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(1),
        Err(error) => Err(error),
    }
}

/// Their file in the agent's state folder, a line each.
const DEAD_LETTERS: &str = "dead-letters.jsonl";
/// Bytes of dead letters that are kept.
const MAX_DEAD_LETTERS: u64 = 64 << 20;

/// Dead letters that earlier runs have left.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn dead_letters_so_far(state: &Path) -> std::io::Result<u64> {
    use std::io::{BufRead, BufReader};
    let mut file = match std::fs::File::open(state.join(DEAD_LETTERS)) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut count = 0;
    while file.skip_until(b'\n')? > 0 {
        count += 1;
    }
    Ok(count)
}

fn append_dead_letter(path: &Path, payload: &[u8], why: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    if file.metadata()?.len() > MAX_DEAD_LETTERS {
        tracing::error!("The dead letters are full; this one is only in the log.");
        return Ok(());
    }
    let line = serde_json::json!({ "why": why, "record": String::from_utf8_lossy(payload) });
    writeln!(file, "{line}")?;
    file.sync_data()
}
