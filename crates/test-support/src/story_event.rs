use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Agent;

/// An event in the making: add what matters to the story, then `.await` to send it alone, or collect several for
/// [`Agent::sends`].
#[derive(Debug, Clone)]
pub struct StoryEvent {
    agent: Agent,
    id: Uuid,
    fields: Map<String, Value>,
}

impl StoryEvent {
    pub(crate) fn new(agent: Agent, kind: &str, id: Uuid, time: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("type".to_owned(), kind.into());
        Self { agent, id, fields }.id(id).at(time)
    }

    /// Its time: `12:00:00` on 13 February 2026 (UTC), or a whole RFC 3339 time.
    #[must_use]
    pub fn at(self, time: &str) -> Self {
        let whole = if time.contains('T') {
            time.to_owned()
        } else {
            format!("2026-02-13T{time}Z")
        };
        self.with("event_time_vpn", whole)
    }

    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = id;
        self.with("event_id", id.to_string())
    }

    #[must_use]
    pub fn seq(self, seq: u64) -> Self {
        self.with("seq", seq)
    }

    /// Names the session by the id of its connect event.
    #[must_use]
    pub fn session(self, id: Uuid) -> Self {
        self.with("session_id", id.to_string())
    }

    #[must_use]
    pub fn virtual_ip(self, address: &str) -> Self {
        self.with("virtual_ip", address)
    }

    #[must_use]
    pub fn real(self, address: &str, port: u16) -> Self {
        self.with("real_ip", address).with("real_port", port)
    }

    /// Counters so far: received from the client, sent to it.
    #[must_use]
    pub fn bytes(self, bytes_in: u64, bytes_out: u64) -> Self {
        self.with("bytes_in", bytes_in).with("bytes_out", bytes_out)
    }

    /// Any other field of the wire format.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn without(mut self, field: &str) -> Self {
        self.fields.remove(field);
        self
    }

    /// Its `event_id`; for a connect, the session's id too.
    pub fn event_id(&self) -> Uuid {
        self.id
    }

    /// As it goes over the wire.
    pub fn json(&self) -> Value {
        Value::Object(self.fields.clone())
    }
}

impl IntoFuture for StoryEvent {
    type Output = Uuid;
    type IntoFuture = Pin<Box<dyn Future<Output = Uuid> + Send>>;

    /// Sends it alone, expects it to be accepted, and gives its id.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let agent = self.agent.clone();
            let reply = agent.post_events(json!([self.json()])).await;
            crate::agent::assert_accepted(&reply);
            self.id
        })
    }
}
