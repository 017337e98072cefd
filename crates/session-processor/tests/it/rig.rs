use std::collections::BTreeMap;
use std::time::Duration;

use bus::proto::{AgentRequest, Event, EventType, SessionDeltas, SessionFacts, TelemetryBatch};
use bus::{Bus, BusConfig};
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use test_support::{
    PrivateServers, Process, TestDatabase, eventually_within, free_port, nats_request, new_uuid, shared_servers,
    test_namespace,
};
use tokio::time::timeout;
use uuid::Uuid;

/// 13 February 2026, 12:00 UTC.
const NOON_US: i64 = 1_770_984_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything around session-processor: database, streams and the VPN server `vpn-1`. Processors are started by the test.
pub(crate) struct Rig {
    // Before the servers that it uses.
    pub(crate) database: TestDatabase,
    pub(crate) bus: Bus,
    environment: Vec<(String, String)>,
    namespace: String,
    nats_url: String,
    server_key: i32,
    pub(crate) servers: Option<PrivateServers>,
}

impl Rig {
    /// On the run's shared servers. An unacknowledged message is delivered again after `ack_wait` seconds.
    pub(crate) async fn new(ack_wait: u64) -> Self {
        let shared = shared_servers();
        let database = TestDatabase::create().await;
        Self::on(database, None, &shared.nats_url, &shared.redis_url, ack_wait).await
    }

    /// On servers that the test may stop.
    pub(crate) async fn on_private_servers(ack_wait: u64) -> Self {
        let servers = PrivateServers::start().await;
        let (nats, redis) = (servers.nats_url(), servers.redis_url());
        Self::on(servers.database(), Some(servers), &nats, &redis, ack_wait).await
    }

    async fn on(
        database: TestDatabase,
        servers: Option<PrivateServers>,
        nats_url: &str,
        redis_url: &str,
        ack_wait: u64,
    ) -> Self {
        let namespace = test_namespace();
        let bus = Bus::connect(&BusConfig::new(nats_url, &namespace))
            .await
            .expect("NATS is there");
        let server_key = database
            .count("INSERT INTO vpn_server (name) VALUES ('vpn-1') RETURNING id")
            .await;
        let environment = [
            ("DATABASE_URL", database.url.as_str()),
            ("NATS_URL", nats_url),
            ("BUS_NAMESPACE", &namespace),
            ("BUS_ACK_WAIT_SECONDS", &ack_wait.to_string()),
            ("REDIS_URL", redis_url),
            ("REDIS_PREFIX", &namespace),
            ("LOG_FORMAT", "text"),
            // The events here are old; they shall not time out.
            ("SESSION_TIMEOUT_SECONDS", "1000000000"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self {
            database,
            bus,
            environment: environment.into(),
            nats_url: nats_url.to_owned(),
            namespace,
            server_key: i32::try_from(server_key).expect("a small number"),
            servers,
        }
    }

    /// A processor that is ready, with these settings besides.
    pub(crate) async fn processor(&self, settings: &[(&str, &str)]) -> Process {
        let mut environment = self.environment.clone();
        environment.push(("HTTP_ADDR".to_owned(), format!("127.0.0.1:{}", free_port())));
        environment.extend(
            settings
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
        );
        let processor = Process::spawn("session-processor", &[], &environment);
        processor.ready().await;
        processor
    }

    /// Publishes one message with one request of `vpn-1`.
    pub(crate) async fn publish(&self, events: Vec<Event>) {
        let request = AgentRequest {
            request_id: new_uuid().as_bytes().to_vec(),
            server_key: self.server_key,
            server_name: "vpn-1".to_owned(),
            received_at_us: NOON_US,
            events,
            ..AgentRequest::default()
        };
        let batch = TelemetryBatch {
            requests: vec![request],
        };
        self.bus.publish_telemetry(&batch).await.expect("NATS stores it");
    }

    /// Keeps every processor from finishing a batch of `vpn-1` until it is released.
    pub(crate) async fn hold_server(&self) -> test_support::HeldTransaction {
        let row = "INSERT INTO vpn_server_state (server_id) SELECT id FROM vpn_server ON CONFLICT DO NOTHING";
        self.database.sql(row).await;
        self.database.hold("SELECT 1 FROM vpn_server_state FOR UPDATE").await
    }

    /// Waits until so many processors wait for what [`Self::hold_server`] holds.
    pub(crate) async fn blocked(&self, processors: i64) {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually_within(PATIENCE, "the processors to have a batch in hand", async || {
            (self.database.count(waiting).await >= processors).then_some(())
        })
        .await;
    }

    /// Waits until so many events are stored.
    pub(crate) async fn stored(&self, events: i64, within: Duration) {
        eventually_within(within, "the events to be stored", async || {
            (self.database.count("SELECT count(*) FROM vpn_event").await >= events).then_some(())
        })
        .await;
        assert_eq!(self.database.count("SELECT count(*) FROM vpn_event").await, events);
    }

    /// A number of the consumer of telemetry, such as `num_ack_pending`, as JetStream counts it.
    pub(crate) async fn consumer(&self, number: &str) -> u64 {
        let stream = format!("{}-TELEMETRY", self.namespace);
        let subject = format!("$JS.API.CONSUMER.INFO.{stream}.session-processor");
        let answer = nats_request(&self.nats_url, &subject, b"").await;
        let info: Value = serde_json::from_str(&answer).expect("JSON");
        info[number]
            .as_u64()
            .unwrap_or_else(|| panic!("{number} is not in {info}"))
    }
}

/// A connect event; `number` tells it from others.
pub(crate) fn connect(number: u32) -> Event {
    Event {
        event_id: Uuid::from_u128(u128::from(number) + 1).as_bytes().to_vec(),
        r#type: EventType::SessionConnected.into(),
        time_us: NOON_US + i64::from(number) * 1_000_000,
        sessions: vec![SessionFacts {
            common_name: format!("user-{number}"),
            ..SessionFacts::default()
        }],
        ..Event::default()
    }
}

/// Versions of sessions, in the order in which they were told.
pub(crate) type Versions = BTreeMap<Uuid, Vec<u32>>;

/// Listens until `enough`.
pub(crate) async fn told(
    deltas: &mut (impl Stream<Item = SessionDeltas> + Unpin),
    enough: impl Fn(&Versions) -> bool,
) -> Versions {
    let mut versions = Versions::new();
    let listen = async {
        while !enough(&versions) {
            let message = deltas.next().await.expect("the subscription goes on");
            for session in message.sessions {
                let id = Uuid::from_slice(&session.session_id).expect("a session id");
                versions.entry(id).or_default().push(session.version);
            }
        }
    };
    let in_time = timeout(PATIENCE, listen).await;
    assert!(in_time.is_ok(), "told until now: {versions:?}");
    versions
}
