//! Takes what the agent sends, and counts it: the product is not measured here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What has arrived.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) events: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    events: Vec<IgnoredAny>,
}

impl Sink {
    /// Listens on a free port, and gives its address.
    pub(crate) async fn listen() -> anyhow::Result<(Arc<Self>, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let sink = Arc::new(Self::default());
        let taking = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sink = taking.clone();
                // Until the agent hangs up.
                tokio::spawn(async move { sink.take(stream).await });
            }
        });
        Ok((sink, address))
    }

    async fn take(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let (head, length) = loop {
                if let Some(found) = head(&buffer) {
                    break found;
                }
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            };
            while buffer.len() < head + length {
                anyhow::ensure!(stream.read_buf(&mut buffer).await? > 0, "the agent has hung up");
            }
            let body = &buffer[head..head + length];
            let text = zstd::decode_all(body).unwrap_or_else(|_| body.to_vec());
            let body: Body = serde_json::from_slice(&text)?;
            self.events.fetch_add(body.events.len() as u64, Ordering::Relaxed);
            self.bytes.fetch_add(length as u64, Ordering::Relaxed);
            buffer.drain(..head + length);
            stream
                .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n{\"status\":\"accepted\"}")
                .await?;
        }
    }
}

/// Length of the head and of the body.
fn head(buffer: &[u8]) -> Option<(usize, usize)> {
    let end = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some((end, length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)))
}
