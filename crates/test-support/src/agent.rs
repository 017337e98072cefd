use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use time::Duration;
use time::format_description::well_known::Rfc3339;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::entrance::Entrance;
use crate::{Reply, StoryEvent, now};

/// The agent beside one VPN server. The server is registered, with a key, when the agent first speaks.
#[derive(Debug, Clone)]
pub struct Agent {
    entrance: Arc<Entrance>,
    /// Which replica of ingest it talks to.
    ingest: usize,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    server_id: String,
    duplicate_cn: AtomicBool,
    boot_id: Mutex<Option<Uuid>>,
    clock_is_off_by: Mutex<Duration>,
    key: OnceCell<String>,
    events_made: AtomicU32,
    /// Its index gives a common name its virtual IP.
    common_names: Mutex<Vec<String>>,
}

impl Agent {
    pub(crate) fn new(entrance: Arc<Entrance>, server_id: &str) -> Self {
        let state = State {
            server_id: server_id.to_owned(),
            duplicate_cn: AtomicBool::new(false),
            boot_id: Mutex::new(None),
            clock_is_off_by: Mutex::new(Duration::ZERO),
            key: OnceCell::new(),
            events_made: AtomicU32::new(0),
            common_names: Mutex::new(Vec::new()),
        };
        Self {
            entrance,
            ingest: 0,
            state: Arc::new(state),
        }
    }

    /// The server runs with `duplicate-cn`; to be said before the agent first speaks.
    #[must_use]
    pub fn with_duplicate_cn(self) -> Self {
        self.state.duplicate_cn.store(true, Ordering::Relaxed);
        self
    }

    /// The same agent, talking to another replica of ingest.
    #[must_use]
    pub fn through(mut self, ingest: usize) -> Self {
        self.ingest = ingest;
        self
    }

    /// From now on its requests carry this `boot_id`.
    pub fn boots(&self, boot_id: Uuid) {
        *self.state.boot_id.lock().expect("not poisoned") = Some(boot_id);
    }

    /// From now on its clock, which stamps `sent_at`, is ahead of ours by this much.
    pub fn clock_is_off_by(&self, ahead: Duration) {
        *self.state.clock_is_off_by.lock().expect("not poisoned") = ahead;
    }

    /// The current time by its clock, for [`StoryEvent::at`].
    pub fn now(&self) -> String {
        let ahead = *self.state.clock_is_off_by.lock().expect("not poisoned");
        (now() + ahead).format(&Rfc3339).expect("a year of four digits")
    }

    /// A user connects, from 203.0.113.5:1194, with a virtual IP of its own.
    pub fn connects(&self, common_name: &str) -> StoryEvent {
        self.event("SESSION_CONNECTED")
            .with("common_name", common_name)
            .real("203.0.113.5", 1194)
            .virtual_ip(&self.virtual_ip_of(common_name))
    }

    /// A user disconnects; nothing but the common name tells from which session.
    pub fn disconnects(&self, common_name: &str) -> StoryEvent {
        self.event("SESSION_DISCONNECTED").with("common_name", common_name)
    }

    /// The counters of a user's session, or another fact about it.
    pub fn updates(&self, common_name: &str) -> StoryEvent {
        self.event("SESSION_UPDATED").with("common_name", common_name)
    }

    /// The full list of sessions, each an object of the wire format.
    pub fn snapshot(&self, sessions: Value) -> StoryEvent {
        self.event("SESSION_SNAPSHOT").with("sessions", sessions)
    }

    pub fn server_started(&self) -> StoryEvent {
        self.event("SERVER_STARTED")
    }

    pub fn server_stopped(&self) -> StoryEvent {
        self.event("SERVER_STOPPED")
    }

    /// An event of any type, one second after the last one made here, starting at 12:00:01.
    pub fn event(&self, kind: &str) -> StoryEvent {
        let number = self.state.events_made.fetch_add(1, Ordering::Relaxed) + 1;
        let id = Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("{}/{number}", self.state.server_id).as_bytes(),
        );
        let time = format!("{:02}:{:02}:{:02}", 12 + number / 3600, number / 60 % 60, number % 60);
        StoryEvent::new(self.clone(), kind, id, &time)
    }

    /// Sends several events in one request and expects all to be accepted.
    ///
    /// # Panics
    /// When one is not.
    pub async fn sends(&self, events: impl IntoIterator<Item = StoryEvent>) -> Reply {
        let events: Vec<Value> = events.into_iter().map(|event| event.json()).collect();
        let reply = self.post_events(events.into()).await;
        assert_accepted(&reply);
        reply
    }

    /// Posts any list of events in a correct frame.
    pub async fn post_events(&self, events: Value) -> Reply {
        self.try_post_events(events)
            .await
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// Like [`Self::post_events`].
    ///
    /// # Errors
    /// When no whole answer came: ingest is down, or was killed meanwhile.
    pub async fn try_post_events(&self, events: Value) -> Result<Reply, reqwest::Error> {
        let frame = self.frame(&events);
        Reply::try_to(self.request(Method::POST, "/api/v1/events").await.json(&frame)).await
    }

    /// Posts a heartbeat with these measurements.
    pub async fn heartbeat(&self, measurements: Value) -> Reply {
        let mut body = self.frame(&Value::Null);
        let frame = body.as_object_mut().expect("a frame is an object");
        frame.remove("events");
        frame.extend(measurements.as_object().expect("measurements are an object").clone());
        Reply::to(self.request(Method::POST, "/api/v1/heartbeat").await.json(&body)).await
    }

    /// A request with this agent's key, to be completed.
    pub async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let key = self.key().await;
        self.entrance.ingest_request(self.ingest, method, path).bearer_auth(key)
    }

    /// Its API key; registers the server if need be.
    pub async fn key(&self) -> &str {
        let duplicate_cn = self.state.duplicate_cn.load(Ordering::Relaxed);
        self.state
            .key
            .get_or_init(|| self.entrance.register_server(&self.state.server_id, duplicate_cn))
            .await
    }

    fn frame(&self, events: &Value) -> Value {
        let mut frame = json!({"server_id": self.state.server_id, "sent_at": self.now(), "events": events});
        if let Some(boot_id) = *self.state.boot_id.lock().expect("not poisoned") {
            frame["boot_id"] = boot_id.to_string().into();
        }
        frame
    }

    fn virtual_ip_of(&self, common_name: &str) -> String {
        let mut names = self.state.common_names.lock().expect("not poisoned");
        let index = names.iter().position(|name| name == common_name).unwrap_or_else(|| {
            names.push(common_name.to_owned());
            names.len() - 1
        });
        format!("10.8.{}.{}", (index + 2) / 256, (index + 2) % 256)
    }
}

/// # Panics
/// Unless the answer is 200 or 202 without errors.
#[track_caller]
pub(crate) fn assert_accepted(reply: &Reply) {
    assert!(
        reply.status.is_success(),
        "the events were not accepted: {} {}",
        reply.status,
        reply.body
    );
    let answer = reply.json();
    let errors = answer["errors"].as_array().map_or(0, Vec::len);
    assert_eq!(errors, 0, "some events were not accepted: {answer}");
}
