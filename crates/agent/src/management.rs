//! The daemon's management interface: one connection at a time, for the daemon serves one client only.

mod kill;
mod relay;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openvpn::management::{Line, Notice, Reader, cached_log_line, state_line};
use openvpn::status::StatusReport;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use uuid::Uuid;

pub use kill::{Kill, Killed};

use crate::health::Health;
use crate::passthrough::Request;
use crate::tracker::{Boot, Observation};

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
    #[error("the management interface says nothing: another client is attached to it")]
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
    /// Attaches, logs in, and reads what was missed: state history, cached log, status.
    ///
    /// # Errors
    /// [`ManagementError::Occupied`] when another client is attached.
    pub async fn attach(
        address: &Address,
        password: Option<&str>,
        bytecount_seconds: u32,
        seen: mpsc::Sender<Observation>,
    ) -> Result<Self, ManagementError> {
        let mut connection = Self::log_in_at(address, password, seen).await?;
        connection.catch_up(bytecount_seconds).await?;
        Ok(connection)
    }

    async fn log_in_at(
        address: &Address,
        password: Option<&str>,
        seen: mpsc::Sender<Observation>,
    ) -> Result<Self, ManagementError> {
        let stream: Box<dyn Stream> = match address {
            Address::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(ManagementError::Unreachable)?),
            Address::Tcp(address) => Box::new(
                TcpStream::connect(address)
                    .await
                    .map_err(ManagementError::Unreachable)?,
            ),
        };
        let mut connection = Self {
            stream: BufReader::new(stream),
            reader: Reader::default(),
            line: Vec::new(),
            seen,
            pid: 0,
            banner: Arc::default(),
            held: watch::channel(None).0,
            release_hold: false,
            health: Health::default(),
            notices: broadcast::channel(NOTICES).0,
            requests: mpsc::channel(REQUESTS),
        };
        timeout(BANNER_TIMEOUT, connection.log_in(password))
            .await
            .map_err(|_| ManagementError::Occupied)??;
        Ok(connection)
    }

    /// The banner, or first a prompt without a line end.
    async fn log_in(&mut self, password: Option<&str>) -> Result<(), ManagementError> {
        const PROMPT: &[u8] = b"ENTER PASSWORD:";
        let mut tried = false;
        loop {
            let buffer = self.stream.fill_buf().await?;
            if buffer.is_empty() {
                return Err(ManagementError::Closed);
            }
            if buffer.starts_with(PROMPT) {
                self.stream.consume(PROMPT.len());
                // Daemons before 2.7 ask again and say no more.
                if std::mem::replace(&mut tried, true) {
                    return Err(ManagementError::WrongPassword);
                }
                let password = password.ok_or(ManagementError::NoPassword)?;
                self.stream.write_all(format!("{password}\n").as_bytes()).await?;
                continue;
            }
            let line = self.next_line().await?;
            match line.as_str() {
                line if line.starts_with(">INFO:") => {
                    self.banner = line.into();
                    return Ok(());
                }
                line if line.starts_with("ERROR:") => return Err(ManagementError::WrongPassword),
                _ => {}
            }
        }
    }

    async fn catch_up(&mut self, bytecount_seconds: u32) -> Result<(), ManagementError> {
        let pid = self.ask("pid").await?;
        let pid = pid.last().and_then(|line| line.rsplit('=').next()?.trim().parse().ok());
        self.pid = pid.unwrap_or_default();
        let mut boot = Boot {
            started_at: 0,
            pid: self.pid,
            restarted_at: 0,
        };
        for line in self.ask("state on all").await? {
            if let Some((at, state)) = state_line(&line) {
                let at = i64::try_from(at).unwrap_or_default();
                if boot.started_at == 0 {
                    boot.started_at = at;
                }
                if state == "RECONNECTING" {
                    boot.restarted_at = at;
                }
            }
        }
        if boot.started_at > 0 {
            self.observed(Observation::Daemon(boot)).await?;
        }
        let log = self.ask(&format!("log on {CACHED_LOG_LINES}")).await?;
        self.poll().await?;
        // After the list: what it no longer shows has ended as the log says.
        for ended in log.iter().filter_map(|line| cached_log_line(line)) {
            self.noticed(Notice::ClientEnded(ended)).await?;
        }
        self.ask(&format!("bytecount {bytecount_seconds}")).await?;
        Ok(())
    }

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

/// Attaches, logs in, and goes again.
///
/// # Errors
/// What stands in the way.
pub async fn probe(address: &Address, password: Option<&str>) -> Result<(), ManagementError> {
    let (seen, _nobody) = mpsc::channel(1);
    Connection::log_in_at(address, password, seen).await.map(drop)
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
