//! Other tools use the management interface through the agent: the daemon serves one client only, and the agent is that one.
//!
//! A tool sees what the daemon itself would show: banner, answers to its own commands, notifications. What it turns on or off is
//! its own affair: the agent keeps listening, and so do other tools.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::management::read_line;

/// Tools that are served at once; more wait in the listen queue.
const TOOLS: usize = 8;
/// Lines of a `client-auth` block.
const BLOCK_LINES: usize = 256;

/// A command of a tool, without its line end.
#[derive(Debug)]
pub struct Request {
    pub command: String,
    pub answer: oneshot::Sender<Vec<String>>,
}

/// A way to the daemon, for as long as the agent is attached to it.
#[derive(Debug, Clone)]
pub struct Link {
    pub banner: Arc<str>,
    /// What the daemon said when it began to wait for `hold release`.
    pub held: watch::Receiver<Option<Arc<str>>>,
    pub requests: mpsc::Sender<Request>,
    pub notices: broadcast::Sender<Arc<str>>,
}

/// Listens on a Unix socket; the group of the agent's process may use it. A socket that nobody listens on any more is replaced.
///
/// # Errors
/// When somebody listens there, or the folder refuses.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let is_socket = std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Serves tools for ever. Before the agent is attached they wait, as they would for the daemon.
pub async fn serve(listener: UnixListener, links: watch::Receiver<Option<Link>>) {
    let mut tools = JoinSet::new();
    loop {
        while tools.len() >= TOOLS {
            tools.join_next().await;
        }
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let links = links.clone();
                    tools.spawn(async move {
                        if let Err(error) = attend(stream, links).await {
                            tracing::debug!(%error, "A management tool is gone.");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "A management tool cannot be served.");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            },
            Some(_) = tools.join_next() => {}
        }
    }
}

async fn attend(stream: UnixStream, mut links: watch::Receiver<Option<Link>>) -> anyhow::Result<()> {
    let (read, write) = stream.into_split();
    let mut input = Input {
        stream: BufReader::new(read),
        partial: Vec::new(),
        early: None,
    };
    let link = loop {
        tokio::select! {
            link = links.wait_for(Option::is_some) => break link?.clone(),
            line = input.read(), if input.early.is_none() => input.early = Some(line?),
        }
    };
    let Some(Link {
        banner,
        held,
        requests,
        notices,
    }) = link
    else {
        return Ok(());
    };
    let mut tool = Tool {
        write,
        wanted: Wanted::default(),
        requests,
        notices: notices.subscribe(),
    };
    // The last sender is the connection's: when it is gone, so is the daemon.
    drop(notices);
    tool.say(&banner).await?;
    let held = held.borrow().clone();
    if let Some(held) = held {
        tool.say(&held).await?;
    }
    tool.run(input).await
}

/// What a tool says, line by line.
struct Input {
    stream: BufReader<OwnedReadHalf>,
    partial: Vec<u8>,
    /// Said before there was anybody to answer.
    early: Option<String>,
}

impl Input {
    /// Cancel-safe.
    async fn read(&mut self) -> anyhow::Result<String> {
        match self.early.take() {
            Some(line) => Ok(line),
            None => Ok(read_line(&mut self.stream, &mut self.partial).await?),
        }
    }
}

/// Real-time notifications that a tool has turned on.
#[derive(Debug, Default)]
struct Wanted {
    log: bool,
    state: bool,
    echo: bool,
    byte_counts: bool,
}

impl Wanted {
    fn switch(&mut self, kind: &str) -> Option<&mut bool> {
        match kind {
            "log" => Some(&mut self.log),
            "state" => Some(&mut self.state),
            "echo" => Some(&mut self.echo),
            "bytecount" => Some(&mut self.byte_counts),
            _ => None,
        }
    }

    fn includes(&self, notice: &str) -> bool {
        match notice.split(':').next() {
            Some(">LOG") => self.log,
            Some(">STATE") => self.state,
            Some(">ECHO") => self.echo,
            Some(">BYTECOUNT" | ">BYTECOUNT_CLI") => self.byte_counts,
            _ => true,
        }
    }
}

struct Tool {
    write: OwnedWriteHalf,
    wanted: Wanted,
    requests: mpsc::Sender<Request>,
    notices: broadcast::Receiver<Arc<str>>,
}

impl Tool {
    async fn run(mut self, mut input: Input) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                line = input.read() => {
                    let command = line?.trim().to_owned();
                    match command.as_str() {
                        "" => {}
                        "exit" | "quit" => return Ok(()),
                        _ => self.obey(command, &mut input).await?,
                    }
                }
                // Lagged: it reads too slowly. Closed: the daemon is gone.
                notice = self.notices.recv() => {
                    let notice = notice?;
                    if self.wanted.includes(&notice) {
                        self.say(&notice).await?;
                    }
                }
            }
        }
    }

    async fn obey(&mut self, mut command: String, input: &mut Input) -> anyhow::Result<()> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            // The agent's own interval stays; the tool gets what comes.
            ["bytecount", seconds] => {
                self.wanted.byte_counts = seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0);
                return self.say("SUCCESS: bytecount interval changed").await;
            }
            [kind @ ("log" | "state" | "echo"), "off", rest @ ..] => {
                let done = format!("SUCCESS: real-time {kind} notification set to OFF");
                let rest = (!rest.is_empty()).then(|| format!("{kind} {}", rest.join(" ")));
                if let Some(wanted) = self.wanted.switch(kind) {
                    *wanted = false;
                }
                self.say(&done).await?;
                match rest {
                    Some(rest) => command = rest,
                    None => return Ok(()),
                }
            }
            [kind @ ("log" | "state" | "echo"), "on", ..] => {
                if let Some(wanted) = self.wanted.switch(kind) {
                    *wanted = true;
                }
            }
            // Lines for the client follow, up to END.
            ["client-auth", _, _] => {
                for _ in 0..BLOCK_LINES {
                    let line = input.read().await?;
                    command = format!("{command}\n{line}");
                    if line == "END" {
                        break;
                    }
                }
            }
            _ => {}
        }
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request { command, answer }).await?;
        for line in answered.await? {
            self.say(&line).await?;
        }
        Ok(())
    }

    async fn say(&mut self, line: &str) -> anyhow::Result<()> {
        Ok(self.write.write_all(format!("{line}\r\n").as_bytes()).await?)
    }
}
