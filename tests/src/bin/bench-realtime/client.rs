//! Clients that cost next to nothing: they look at the head of each frame for its position.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::latency::Latencies;

/// Clients that connect at the same time.
const CONNECTING: usize = 64;
const CHANGE: &[u8] = br#"{"event":"session_connected","position":""#;
const LAST_OF_WELCOME: &[u8] = br#"{"event":"stats_update""#;
const RESYNC: &[u8] = br#"{"event":"resync""#;
/// An empty pong; clients mask what they send.
const PONG: [u8; 6] = [0x8A, 0x80, 0, 0, 0, 0];

/// What all clients count together.
#[derive(Debug)]
pub(crate) struct Crowd {
    first: u64,
    started: Instant,
    /// When each message was acknowledged, microseconds since the start; 0 before.
    acknowledged: Vec<AtomicU64>,
    received: AtomicU64,
    /// Changes that came again, or earlier than the one before them.
    pub(crate) twice: AtomicU64,
    /// Changes that were passed over.
    pub(crate) missed: AtomicU64,
    /// Clients whose socket has ended, or that were told to begin anew.
    lost: AtomicU64,
    /// Why the first client was lost.
    first_loss: OnceLock<String>,
    pub(crate) latencies: Latencies,
}

impl Crowd {
    pub(crate) fn new(first: u64, messages: u64) -> Self {
        Self {
            first,
            started: Instant::now(),
            acknowledged: (0..messages).map(|_| AtomicU64::new(0)).collect(),
            received: AtomicU64::new(0),
            twice: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            first_loss: OnceLock::new(),
            latencies: Latencies::new(),
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(crate) fn first_loss(&self) -> Option<&str> {
        self.first_loss.get().map(String::as_str)
    }

    pub(crate) fn lost_clients(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn acknowledged(&self, message: u64) {
        self.acknowledged[message as usize].store(self.now(), Ordering::Release);
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// Counts a change; `next` is the sequence that this client expects.
    fn take(&self, sequence: u64, next: &mut u64, now: u64) {
        if sequence < *next {
            self.twice.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.missed.fetch_add(sequence - *next, Ordering::Relaxed);
        *next = sequence + 1;
        self.received.fetch_add(1, Ordering::Relaxed);
        let acknowledged = self.acknowledged[(sequence - self.first) as usize].load(Ordering::Acquire);
        // Some clients have it before the publisher hears that it is stored.
        let took = if acknowledged == 0 {
            0
        } else {
            now.saturating_sub(acknowledged)
        };
        self.latencies.add(took);
    }
}

/// Connects clients, and returns when all of them have had their snapshot; they read on.
pub(crate) async fn connect(crowd: &Arc<Crowd>, address: &str, token: &str, clients: usize) -> anyhow::Result<()> {
    let request: Arc<str> = request(address, token).into();
    let permits = Arc::new(Semaphore::new(CONNECTING));
    let mut connecting = JoinSet::new();
    for _ in 0..clients {
        let (crowd, request, address) = (Arc::clone(crowd), Arc::clone(&request), address.to_owned());
        let permit = Arc::clone(&permits).acquire_owned().await?;
        connecting.spawn(async move {
            let client = Client::enter(&address, &request, crowd).await?;
            drop(permit);
            tokio::spawn(client.read());
            anyhow::Ok(())
        });
        while let Some(entered) = connecting.try_join_next() {
            entered??;
        }
    }
    while let Some(entered) = connecting.join_next().await {
        entered??;
    }
    Ok(())
}

fn request(address: &str, token: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: bearer, {token}\r\n\r\n"
    )
}

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    crowd: Arc<Crowd>,
    next: u64,
}

impl Client {
    async fn enter(address: &str, request: &str, crowd: Arc<Crowd>) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let next = crowd.first;
        let mut client = Self {
            stream,
            buffer: Vec::with_capacity(4 << 10),
            crowd,
            next,
        };
        let head = client.head().await?;
        ensure!(head.starts_with("HTTP/1.1 101"), "no socket: {head}");
        while !client.take_frames(LAST_OF_WELCOME).await? {
            client.fill().await?;
        }
        Ok(client)
    }

    async fn head(&mut self) -> anyhow::Result<String> {
        loop {
            self.fill().await?;
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let head = std::mem::replace(&mut self.buffer, rest);
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
        }
    }

    async fn read(mut self) {
        let ended = async {
            loop {
                self.take_frames(b"").await?;
                self.fill().await?;
            }
            #[expect(unreachable_code, reason = "tells the type of the error")]
            anyhow::Ok(())
        };
        let ended = ended.await;
        // The first one speaks for all.
        if self.crowd.lost.fetch_add(1, Ordering::Relaxed) == 0
            && let Err(error) = ended
        {
            self.crowd.first_loss.get_or_init(|| format!("{error:#}"));
        }
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the gateway has hung up");
        Ok(())
    }

    /// Takes the whole frames of the buffer; true when one of them begins with `mark`.
    async fn take_frames(&mut self, mark: &[u8]) -> anyhow::Result<bool> {
        let (mut at, mut marked, mut pongs) = (0, false, 0);
        let now = self.crowd.now();
        while let Some((opcode, payload)) = frame(&self.buffer[at..]) {
            let (from, to) = (at + payload.0, at + payload.1);
            let text = &self.buffer[from..to];
            match opcode {
                1 if text.starts_with(CHANGE) => {
                    let sequence = sequence(&text[CHANGE.len()..]).context("no position")?;
                    self.crowd.take(sequence, &mut self.next, now);
                }
                1 => {
                    ensure!(!text.starts_with(RESYNC), "a client must begin anew");
                    marked |= !mark.is_empty() && text.starts_with(mark);
                }
                8 => bail!("the gateway has closed a socket"),
                9 => pongs += 1,
                _ => {}
            }
            at = to;
        }
        self.buffer.drain(..at);
        for _ in 0..pongs {
            self.stream.write_all(&PONG).await?;
        }
        Ok(marked)
    }
}

/// The opcode of the first frame, and where its payload begins and ends; `None` while it is not whole. A server does not mask.
fn frame(bytes: &[u8]) -> Option<(u8, (usize, usize))> {
    let opcode = bytes.first()? & 0x0F;
    let (from, length) = match *bytes.get(1)? & 0x7F {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?,
        ),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= from + length).then_some((opcode, (from, from + length)))
}

/// The middle one of the three parts of a position.
fn sequence(position: &[u8]) -> Option<u64> {
    let mut parts = position.splitn(3, |byte| *byte == b'-');
    let digits = parts.nth(1)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
