//! A client of `/ws`, and the list of live sessions that a client keeps by the rules of `docs/realtime.md`.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long a frame may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to ask for a socket.
#[derive(Debug, Clone)]
pub struct SocketRequest {
    address: String,
    path: String,
    headers: Vec<(&'static str, String)>,
    receive_buffer: Option<u32>,
}

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The position of the last frame that had one.
    pub position: Option<String>,
    /// Bytes of all frames so far, as they came.
    pub received: usize,
    /// The sub-protocol that was agreed on.
    pub protocol: Option<String>,
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// 1006, as browsers say, when it broke off.
    pub code: u16,
    pub reason: String,
}

impl SocketRequest {
    /// To the gateway at `http://HOST:PORT`.
    pub fn to(url: &str) -> Self {
        Self {
            address: url.trim_start_matches("http://").to_owned(),
            path: "/ws".to_owned(),
            headers: Vec::new(),
            receive_buffer: None,
        }
    }

    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The kernel keeps only so many bytes for a client that does not read.
    #[must_use]
    pub fn receive_buffer(mut self, bytes: u32) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Opens it.
    ///
    /// # Errors
    /// The HTTP status that was answered instead.
    pub async fn open(&self) -> Result<Socket, u16> {
        let mut request = format!("ws://{}{}", self.address, self.path)
            .into_client_request()
            .expect("an address");
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(value).expect("a header value");
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        match client_async(request, self.stream().await).await {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.and_then(|protocol| protocol.to_str().ok()).map(str::to_owned);
                Ok(Socket {
                    stream,
                    position: None,
                    received: 0,
                    protocol,
                })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no socket, and no answer: {error}"),
        }
    }

    /// Opens it and sends the token.
    ///
    /// # Panics
    /// When it is not let in.
    pub async fn enter(&self, token: &str) -> Socket {
        self.enter_again(token, None).await
    }

    /// The same for a client that was here before.
    pub async fn enter_again(&self, token: &str, last_position: Option<&str>) -> Socket {
        let mut socket = self.open().await.expect("a socket");
        let frame = json!({"event": "authenticate", "token": token, "last_position": last_position});
        socket.send(&frame).await;
        socket.until("authenticated").await;
        socket
    }

    async fn stream(&self) -> TcpStream {
        let address = self.address.parse().expect("an IP address and a port");
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("a buffer size");
        }
        socket.connect(address).await.expect("the gateway listens")
    }
}

impl Socket {
    /// Sends a message, if the socket is still open.
    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        let _ = self.stream.send(Message::text(text)).await;
    }

    /// The next frame. Pings are answered by the library.
    ///
    /// # Errors
    /// When the socket has ended.
    ///
    /// # Panics
    /// After 30 seconds without anything.
    pub async fn next(&mut self) -> Result<Value, Closed> {
        loop {
            let next = timeout(PATIENCE, self.stream.next()).await;
            match next.unwrap_or_else(|_| panic!("nothing came for {PATIENCE:?}")) {
                Some(Ok(Message::Text(text))) => return Ok(self.read(text.len(), text.as_bytes())),
                Some(Ok(Message::Binary(packed))) => {
                    let mut text = Vec::new();
                    let unpacked = GzDecoder::new(&*packed).read_to_end(&mut text);
                    unpacked.expect("binary frames are gzip");
                    return Ok(self.read(packed.len(), &text));
                }
                Some(Ok(Message::Close(reason))) => {
                    return Err(reason.map_or_else(Closed::broken, |close| Closed {
                        code: close.code.into(),
                        reason: close.reason.to_string(),
                    }));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Closed::broken()),
            }
        }
    }

    fn read(&mut self, received: usize, text: &[u8]) -> Value {
        self.received += received;
        let frame: Value = serde_json::from_slice(text).expect("every frame is JSON");
        if let Some(position) = frame["position"].as_str() {
            self.position = Some(position.to_owned());
        }
        frame
    }

    /// The next frame with this event; others are passed over.
    ///
    /// # Panics
    /// When the socket ends before, or after a minute of others.
    pub async fn until(&mut self, event: &str) -> Value {
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < 2 * PATIENCE, "`{event}` did not come");
            match self.next().await {
                Ok(frame) if frame["event"] == event => return frame,
                Ok(_) => {}
                Err(closed) => panic!("the socket ended before `{event}` came: {closed:?}"),
            }
        }
    }

    /// How it ends; what comes before is passed over.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }
}

impl Closed {
    fn broken() -> Self {
        Self {
            code: 1006,
            reason: String::new(),
        }
    }
}

/// The live sessions as a client holds them, with every fault in what it is told.
#[derive(Debug, Default)]
pub struct LiveList {
    sessions: BTreeMap<String, Value>,
    /// Pages of the snapshot that is coming in.
    pages: Vec<Value>,
    /// What came although it was known, or before the snapshot was complete.
    pub faults: Vec<String>,
    /// Snapshots that were complete.
    pub snapshots: usize,
    /// Changes that were told, by event.
    pub told: BTreeMap<String, usize>,
    /// The highest version of each session that was told, also of ended ones.
    versions: BTreeMap<String, i64>,
}

impl LiveList {
    /// Takes a frame.
    pub fn take(&mut self, frame: &Value) {
        match frame["event"].as_str().unwrap_or_default() {
            "sessions_update" => self.take_page(frame),
            event @ ("session_connected" | "session_updated" | "session_disconnected" | "session_withdrawn") => {
                self.take_changes(event, frame);
            }
            _ => {}
        }
    }

    /// Version by id of the sessions that are live.
    pub fn versions(&self) -> BTreeMap<String, i64> {
        let version = |session: &Value| session["version"].as_i64().unwrap_or_default();
        self.sessions
            .iter()
            .map(|(id, session)| (id.clone(), version(session)))
            .collect()
    }

    pub fn ids(&self) -> Vec<&str> {
        self.sessions.keys().map(String::as_str).collect()
    }

    fn take_page(&mut self, frame: &Value) {
        if frame["page"] == 1 {
            self.pages.clear();
        }
        self.pages.push(frame["sessions"].clone());
        if frame["page"] != frame["pages"] {
            return;
        }
        let sessions: Vec<Value> = self.pages.drain(..).flat_map(listed).collect();
        if frame["total"] != sessions.len() {
            self.faults
                .push(format!("{} sessions are not {}", sessions.len(), frame["total"]));
        }
        self.snapshots += 1;
        self.sessions = sessions.into_iter().map(|session| (id(&session), session)).collect();
        self.versions = self.versions();
    }

    fn take_changes(&mut self, event: &str, frame: &Value) {
        if !self.pages.is_empty() {
            self.faults.push(format!("{event} between the pages of a snapshot"));
        }
        for session in listed(frame["sessions"].clone()) {
            *self.told.entry(event.to_owned()).or_default() += 1;
            let (id, version) = (id(&session), session["version"].as_i64().unwrap_or_default());
            let known = self.versions.insert(id.clone(), version);
            if known.is_some_and(|known| known >= version) {
                self.faults
                    .push(format!("{event}: version {version} of {id} after {known:?}"));
                continue;
            }
            if session["session_status"] == "active" && event != "session_withdrawn" {
                self.sessions.insert(id, session);
            } else {
                self.sessions.remove(&id);
            }
        }
    }
}

fn id(session: &Value) -> String {
    session["id"].as_str().expect("a session has an id").to_owned()
}

fn listed(sessions: Value) -> Vec<Value> {
    match sessions {
        Value::Array(sessions) => sessions,
        other => panic!("{other} is no list"),
    }
}
