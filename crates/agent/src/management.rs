//! The daemon's management interface: one connection at a time, for the daemon serves one client only.

mod attach;
mod kill;
mod relay;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openvpn::management::{Line, Notice, Reader};
use openvpn::status::StatusReport;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use uuid::Uuid;

pub use attach::probe;
pub use kill::{Kill, Killed};

use crate::health::Health;
use crate::passthrough::Request;
use crate::tracker::Observation;

/// A daemon that another client is attached to accepts the connection and says nothing.
const BANNER_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Lines of the daemon's log that are read after attaching: what was missed ends there.
const CACHED_LOG_LINES: u32 = 500;
/// A line that is longer is damage.
const MAX_LINE: usize = 1 << 20;
/// Notifications that a tool behind the passthrough may be late by.
const NOTICES: usize = 1_024;
/// Commands of tools that wait for their turn.
const REQUESTS: usize = 8;

/// Where the interface listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    /// `unix:PATH` or `tcp:HOST:PORT`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("unix", path) if !path.is_empty() => Some(Self::Unix(path.into())),
            ("tcp", address) if address.contains(':') => Some(Self::Tcp(address.to_owned())),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    #[error("cannot reach the management interface")]
    Unreachable(#[source] std::io::Error),
    #[error("the management interface says nothing: another client is attached to it, or the daemon stands still")]
    Occupied,
    #[error("the management interface refuses the password")]
    WrongPassword,
    #[error("the management interface asks for a password, and none is configured")]
    NoPassword,
    #[error("the management interface did not answer `{0}` in time")]
    NoAnswer(String),
    #[error("the management interface has closed the connection")]
    Closed,
    #[error("the connection to the management interface is broken")]
    Broken(#[from] std::io::Error),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An attached connection.
pub struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    reader: Reader,
    line: Vec<u8>,
    seen: mpsc::Sender<Observation>,
    pid: u64,
    banner: Arc<str>,
    /// What the daemon said when it began to wait for `hold release`.
    held: watch::Sender<Option<Arc<str>>>,
    /// Release the daemon whenever it waits for that (`management-hold`).
    pub release_hold: bool,
    pub health: Health,
    notices: broadcast::Sender<Arc<str>>,
    requests: (mpsc::Sender<Request>, mpsc::Receiver<Request>),
}

impl Connection {
    /// Listens until the connection ends, polling `status 3`.
    ///
    /// # Errors
    /// Always in the end: why it ended.
    pub async fn run(
        &mut self,
        poll: Duration,
        namespace: &Uuid,
        mut kills: mpsc::Receiver<Kill>,
    ) -> Result<(), ManagementError> {
        let mut polls = interval(poll);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        polls.tick().await;
        loop {
            if self.release_hold && self.held.borrow().is_some() {
                self.ask("hold release").await?;
                self.held.send_replace(None);
                tracing::info!("The daemon waited for `hold release`, and goes on now.");
            }
            tokio::select! {
                line = read_line(&mut self.stream, &mut self.line) => {
                    let line = line?;
                    self.take_in(&line).await?;
                }
                Some(request) = self.requests.1.recv() => self.relay(request).await?,
                _ = polls.tick() => self.poll().await?,
                Some(kill) = kills.recv() => self.kill(kill, namespace).await?,
            }
        }
    }

    async fn poll(&mut self) -> Result<(), ManagementError> {
        self.report(|_| {}).await
    }

    async fn report(&mut self, mut read: impl FnMut(&StatusReport)) -> Result<(), ManagementError> {
        self.write("status 3").await?;
        let asked = Instant::now();
        loop {
            let left = ANSWER_TIMEOUT.saturating_sub(asked.elapsed());
            let line = timeout(left, self.next_line())
                .await
                .map_err(|_| ManagementError::NoAnswer("status 3".into()))??;
            // A daemon that waits for `hold release` has no status.
            let listed = line == "END" || line.starts_with("ERROR:");
            self.pass_on(&line);
            if let Line::Notice(notice) = self.reader.read(&line) {
                if let Notice::Status(report) = &notice {
                    read(report);
                }
                self.noticed(notice).await?;
            }
            if listed {
                self.health.works(crate::run::MANAGEMENT);
                return Ok(());
            }
        }
    }

    /// Sends a command and collects its answer: one line, or several up to `END`.
    async fn ask(&mut self, command: &str) -> Result<Vec<String>, ManagementError> {
        self.write(command).await?;
        let asked = Instant::now();
        let lists = command.starts_with("state") || command.starts_with("log");
        let mut answer = Vec::new();
        loop {
            let left = ANSWER_TIMEOUT.saturating_sub(asked.elapsed());
            let line = timeout(left, self.next_line())
                .await
                .map_err(|_| ManagementError::NoAnswer(command.to_owned()))??;
            self.pass_on(&line);
            match self.reader.read(&line) {
                Line::Notice(notice) => self.noticed(notice).await?,
                Line::Nothing => {}
                Line::Answer(line) if line == "END" => return Ok(answer),
                Line::Answer(line) => {
                    let single = line.starts_with("ERROR:") || (line.starts_with("SUCCESS:") && !lists);
                    answer.push(line);
                    if single {
                        return Ok(answer);
                    }
                }
            }
        }
    }

    async fn take_in(&mut self, line: &str) -> Result<(), ManagementError> {
        self.pass_on(line);
        match self.reader.read(line) {
            Line::Notice(notice) => self.noticed(notice).await,
            // Answers are awaited where they were asked for.
            Line::Answer(_) | Line::Nothing => Ok(()),
        }
    }

    async fn noticed(&mut self, notice: Notice) -> Result<(), ManagementError> {
        self.observed(Observation::Notice {
            at: crate::clock::now(),
            notice,
        })
        .await
    }

    /// Waits while the agent's core is busy: the daemon's own socket buffer is the queue then.
    async fn observed(&self, observation: Observation) -> Result<(), ManagementError> {
        self.seen.send(observation).await.map_err(|_| ManagementError::Closed)
    }

    async fn write(&mut self, command: &str) -> Result<(), ManagementError> {
        Ok(self.stream.write_all(format!("{command}\n").as_bytes()).await?)
    }

    async fn next_line(&mut self) -> Result<String, ManagementError> {
        read_line(&mut self.stream, &mut self.line).await
    }
}

/// The next line without its end. Cancel-safe: what has been read of it stays in `line`.
///
/// # Errors
/// When the connection is at its end, or broken.
pub async fn read_line(
    stream: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> Result<String, ManagementError> {
    loop {
        let buffer = stream.fill_buf().await?;
        if buffer.is_empty() {
            return Err(ManagementError::Closed);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(buffer.len(), |end| end + 1);
        line.extend_from_slice(&buffer[..taken]);
        stream.consume(taken);
        if end.is_some() || line.len() > MAX_LINE {
            let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
            line.clear();
            return Ok(text);
        }
    }
}
