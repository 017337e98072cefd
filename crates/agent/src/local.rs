//! What the agent tells on its own host: `GET /status` (JSON) and `GET /metrics` (Prometheus), on a Unix socket or a TCP address.
//! So little HTTP needs no server library.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::management::Address;
use crate::passthrough;
use crate::report::{Report, Reporter};

/// Requests that are answered at once.
const REQUESTS: usize = 8;
/// For a whole request and its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const MAX_HEAD: u64 = 8 << 10;
/// Bytes of a report.
const MAX_REPORT: u64 = 1 << 20;

/// Where local requests are taken.
#[derive(Debug)]
pub enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Listener {
    /// # Errors
    /// When the address is taken, or its folder is missing.
    pub async fn bind(address: &Address) -> std::io::Result<Self> {
        Ok(match address {
            Address::Unix(path) => Self::Unix(passthrough::listen(path)?),
            Address::Tcp(address) => Self::Tcp(TcpListener::bind(address).await?),
        })
    }

    async fn accept(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
        })
    }

    /// Answers for ever.
    pub async fn serve(self, reporter: Reporter) {
        let mut requests = JoinSet::new();
        loop {
            while requests.len() >= REQUESTS {
                requests.join_next().await;
            }
            tokio::select! {
                accepted = self.accept() => match accepted {
                    Ok(stream) => {
                        let reporter = reporter.clone();
                        requests.spawn(async move {
                            // Who hangs up or dawdles gets no answer.
                            let _ = timeout(PATIENCE, answer(stream, &reporter)).await;
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "A local request cannot be taken.");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                },
                Some(_) = requests.join_next() => {}
            }
        }
    }
}

async fn answer(mut stream: Box<dyn Stream>, reporter: &Reporter) -> anyhow::Result<()> {
    let head = read_head(&mut stream).await?;
    let (status, kind, body) = match head.split(' ').take(2).collect::<Vec<_>>().as_slice() {
        ["GET", "/metrics"] => (
            "200 OK",
            "text/plain; version=0.0.4; charset=utf-8",
            reporter.report().await.to_metrics(),
        ),
        ["GET", "/status"] => (
            "200 OK",
            "application/json",
            serde_json::to_string(&reporter.report().await)?,
        ),
        ["GET", _] => ("404 Not Found", "text/plain", "/status or /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", "GET only\n".to_owned()),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// Up to the empty line.
async fn read_head(stream: &mut Box<dyn Stream>) -> anyhow::Result<String> {
    let mut head = Vec::new();
    let mut limited = stream.take(MAX_HEAD);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if limited.read_buf(&mut head).await? == 0 {
            bail!("no whole request");
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Asks the running agent.
///
/// # Errors
/// One sentence: why there is no answer.
pub async fn ask(address: &Address) -> anyhow::Result<Report> {
    let mut stream: Box<dyn Stream> = match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await.with_context(|| unreachable(path))?),
        Address::Tcp(address) => Box::new(
            TcpStream::connect(address)
                .await
                .with_context(|| format!("no agent listens on {address}"))?,
        ),
    };
    let exchange = async {
        stream.write_all(b"GET /status HTTP/1.1\r\nhost: agent\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.take(MAX_REPORT).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = timeout(PATIENCE, exchange)
        .await
        .context("the agent does not answer")??;
    let answer = String::from_utf8_lossy(&answer);
    let (_, body) = answer.split_once("\r\n\r\n").context("this is no agent")?;
    serde_json::from_str(body).context("this is an agent of another version")
}

fn unreachable(path: &Path) -> String {
    format!(
        "no agent listens on {}; is it running (systemctl status openvpn-telemetry-agent), and may you use its socket?",
        path.display()
    )
}
