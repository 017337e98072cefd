//! How a connection begins: logging in, and reading what was missed.

use std::sync::Arc;

use openvpn::management::{Notice, Reader, cached_log_line, state_line};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::timeout;

use super::{Address, BANNER_TIMEOUT, CACHED_LOG_LINES, Connection, ManagementError, NOTICES, REQUESTS, Stream};
use crate::health::Health;
use crate::tracker::{Boot, Observation};

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
}

/// Attaches, logs in, and goes again.
///
/// # Errors
/// What stands in the way.
pub async fn probe(address: &Address, password: Option<&str>) -> Result<(), ManagementError> {
    let (seen, _nobody) = mpsc::channel(1);
    Connection::log_in_at(address, password, seen).await.map(drop)
}
