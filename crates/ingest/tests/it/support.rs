use std::net::SocketAddr;
use std::time::Duration;

use bus::proto::{RejectedEvent, RequestOutcome, RequestOutcomes, TelemetryBatch};
use bus::{Bus, BusConfig, Fetch, RejectedConsumer, TelemetryConsumer};
use db::DatabaseConfig;
use ingest::config::{Config, Limits};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use service_kit::{KitConfig, Running};
use test_support::{Reply, TestDatabase, new_uuid, shared_servers, test_namespace};
use tokio::task::JoinHandle;

/// A secret for every key; what matters is the key id.
pub(crate) const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

/// What is there now, and what comes within a moment.
const NOW: Fetch = Fetch {
    max_messages: 1_000,
    max_bytes: usize::MAX,
    wait: Duration::from_millis(200),
    linger: Duration::from_millis(50),
};

/// A running ingest with its own streams and database, and one registered VPN server `vpn-1`.
pub(crate) struct Ingest {
    pub(crate) bus: Bus,
    pub(crate) database: TestDatabase,
    pub(crate) key: String,
    address: SocketAddr,
    client: reqwest::Client,
    config: Config,
    running: Running,
}

impl Ingest {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create().await;
        Self::on(database, &shared_servers().nats_url, change).await
    }

    /// On these servers.
    pub(crate) async fn on(database: TestDatabase, nats_url: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            database: DatabaseConfig {
                database_url: database.url_of("ingest"),
                database_pool_size: 4,
                database_connect_timeout_seconds: 5,
            },
            bus: BusConfig {
                bus_telemetry_max_bytes: 32 << 20,
                bus_rejected_max_bytes: 32 << 20,
                ..BusConfig::new(nats_url, test_namespace())
            },
            limits: Limits {
                ingest_result_wait_ms: 200,
                ..Limits::default()
            },
        };
        change(&mut config);
        let bus = Bus::connect(&config.bus).await.expect("NATS is there");
        let running = run(config.clone()).await;
        let ingest = Self {
            bus,
            database,
            key: format!("ovt_abcdefghij01_{SECRET}"),
            address: running.address(),
            client: test_support::http_client(),
            config,
            running,
        };
        ingest.register("vpn-1", "abcdefghij01").await;
        ingest
    }

    /// Another replica of this ingest.
    pub(crate) async fn replica(&self) -> Running {
        run(self.config.clone()).await
    }

    /// Ends it in its own order.
    pub(crate) async fn stop(self) {
        self.running.stop().await.expect("it stops cleanly");
    }

    pub(crate) async fn register(&self, server: &str, key_id: &str) {
        let sql = format!(
            "WITH server AS (INSERT INTO vpn_server (name) VALUES ('{server}') RETURNING id)
             INSERT INTO server_api_key (key_id, server_id, secret_sha256)
             SELECT '{key_id}', id, sha256('{SECRET}') FROM server"
        );
        self.database.sql(&sql).await;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A request with the key of `vpn-1` and any body.
    pub(crate) fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client
            .post(url)
            .bearer_auth(&self.key)
            .header("content-type", "application/json")
            .body(body)
    }

    /// The same as PUT.
    pub(crate) fn put(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client
            .put(url)
            .bearer_auth(&self.key)
            .header("content-type", "application/json")
            .body(body)
    }

    pub(crate) fn post_events(&self, events: &[Value]) -> RequestBuilder {
        self.post("/api/v1/events", body(events))
    }

    pub(crate) async fn send(&self, events: &[Value]) -> Reply {
        Reply::to(self.post_events(events)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::to(self.client.get(format!("http://{}{path}", self.address))).await
    }

    pub(crate) async fn telemetry(&self) -> TelemetryConsumer {
        self.bus.telemetry_consumer().await.expect("a consumer")
    }

    /// The messages stored so far and not read before.
    pub(crate) async fn stored(&self, consumer: &mut TelemetryConsumer) -> Vec<TelemetryBatch> {
        let mut batches = Vec::new();
        for message in consumer.fetch(&NOW).await {
            batches.push(message.decode().expect("a batch"));
            message.ack().await;
        }
        batches
    }

    /// The rejected events stored so far and not read before.
    pub(crate) async fn rejected(&self, consumer: &mut RejectedConsumer) -> Vec<RejectedEvent> {
        let mut events = Vec::new();
        for message in consumer.fetch(&NOW).await {
            events.extend(message.decode().expect("a batch").events);
            message.ack().await;
        }
        events
    }

    /// A processor that answers every request in this way, until it is aborted.
    pub(crate) async fn process(
        &self,
        mut outcome: impl FnMut(&bus::proto::AgentRequest) -> RequestOutcome + Send + 'static,
    ) -> JoinHandle<()> {
        let (bus, mut consumer) = (self.bus.clone(), self.telemetry().await);
        tokio::spawn(async move {
            loop {
                for message in consumer
                    .fetch(&Fetch {
                        wait: Duration::from_secs(1),
                        linger: Duration::ZERO,
                        ..NOW
                    })
                    .await
                {
                    for request in message.decode().expect("a batch").requests {
                        let outcome = RequestOutcome {
                            request_id: request.request_id.clone(),
                            ..outcome(&request)
                        };
                        let outcomes = RequestOutcomes {
                            outcomes: vec![outcome],
                        };
                        if !request.reply_subject.is_empty() {
                            bus.publish_outcomes(&request.reply_subject, &outcomes)
                                .await
                                .expect("NATS is there");
                        }
                    }
                    message.ack().await;
                }
            }
        })
    }
}

async fn run(config: Config) -> Running {
    let service = ingest::build(config).await.expect("ingest is built");
    let kit = KitConfig {
        http_addr: Some(([127, 0, 0, 1], 0).into()),
        ..KitConfig::default()
    };
    service_kit::start("ingest", service, &kit)
        .await
        .expect("ingest starts")
}

/// A good connect event with an id of its own.
pub(crate) fn event() -> Value {
    json!({
        "event_id": new_uuid().to_string(), "type": "SESSION_CONNECTED", "common_name": "jdoe",
        "real_ip": "203.0.113.5", "virtual_ip": "10.8.0.2", "event_time_vpn": "2026-02-13T12:00:00Z",
    })
}

/// A good connect event with this field instead.
pub(crate) fn event_with(field: &str, value: impl Into<Value>) -> Value {
    let mut event = event();
    event[field] = value.into();
    event
}

pub(crate) fn body(events: &[Value]) -> String {
    json!({"server_id": "vpn-1", "sent_at": "2026-02-13T12:00:00Z", "events": events}).to_string()
}

/// Asserts status and code of a problem.
#[track_caller]
pub(crate) fn assert_problem(reply: &Reply, status: u16, error: &str) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.json()["error"], error, "{}", reply.body);
}
