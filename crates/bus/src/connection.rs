use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{BusConfig, Error, Names, streams};

/// How often a silent connection is tried; two missed answers and it counts as lost.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Longest pause between two attempts to connect again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// Publishes that may wait for their acknowledgement at once; more wait for a place.
const UNACKED_PUBLISHES: usize = 1_024;

/// A connection to NATS whose streams are as declared. Cheap to clone; reconnects by itself, for ever.
#[derive(Clone)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) names: Names,
    pub(crate) config: Arc<BusConfig>,
    pub(crate) disconnects: watch::Receiver<u64>,
    connects: watch::Receiver<u64>,
}

impl Bus {
    /// Connects, creates the streams that are absent and verifies those that are present.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when NATS or JetStream does not answer, [`Error::StreamDiffers`] when a live stream is not
    /// the declared one.
    pub async fn connect(config: &BusConfig) -> Result<Self, Error> {
        let names = Names::new(&config.bus_namespace)?;
        let (connected, mut connects) = watch::channel(0);
        let (disconnected, disconnects) = watch::channel(0);
        let client = connect_client(config, connected, disconnected).await?;
        let jetstream = ContextBuilder::new()
            .timeout(config.publish_timeout())
            .max_ack_inflight(UNACKED_PUBLISHES)
            .backpressure_on_inflight(true)
            .build(client.clone());
        streams::declare_all(&jetstream, &names, config).await?;
        // The report of the first connection, so that it is not taken for a new one later.
        let _ = timeout(Duration::from_secs(1), connects.changed()).await;
        Ok(Self {
            client,
            jetstream,
            names,
            config: Arc::new(config.clone()),
            disconnects,
            connects,
        })
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The largest message that the server takes, bytes.
    pub fn max_payload(&self) -> usize {
        self.client.server_info().max_payload
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Asks JetStream for an answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without one.
    pub async fn ping(&self) -> Result<(), Error> {
        if !self.is_connected() {
            return Err(Error::unavailable("not connected"));
        }
        self.jetstream
            .query_account()
            .await
            .map(|_| ())
            .map_err(Error::unavailable)
    }

    /// Changes with each new connection. Core NATS messages between two connections are lost, so whoever caches what
    /// they announce must drop it then.
    pub fn on_reconnect(&self) -> watch::Receiver<u64> {
        let mut connects = self.connects.clone();
        connects.mark_unchanged();
        connects
    }

    /// Sends what is still buffered, so that the last acknowledgements are not lost with the process.
    pub async fn flush(&self) {
        if let Err(error) = self.client.flush().await {
            tracing::warn!(%error, "the last messages to NATS could not be sent");
        }
    }
}

async fn connect_client(
    config: &BusConfig,
    connected: watch::Sender<u64>,
    disconnected: watch::Sender<u64>,
) -> Result<Client, Error> {
    let connected = Arc::new(connected);
    let disconnected = Arc::new(disconnected);
    let options = ConnectOptions::new()
        .name("openvpn-telemetry")
        .connection_timeout(config.connect_timeout())
        .request_timeout(Some(config.publish_timeout()))
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(|attempt| {
            let pause = Duration::from_millis(20u64.saturating_mul(1 << attempt.min(10)));
            pause.min(RECONNECT_PAUSE)
        })
        .event_callback(move |event| {
            let (connected, disconnected) = (Arc::clone(&connected), Arc::clone(&disconnected));
            async move { report(&event, &connected, &disconnected) }
        });
    let servers: Vec<&str> = config.nats_url.split(',').map(str::trim).collect();
    options.connect(servers).await.map_err(Error::unavailable)
}

fn report(event: &Event, connected: &watch::Sender<u64>, disconnected: &watch::Sender<u64>) {
    match event {
        Event::Connected => {
            tracing::info!("connected to NATS");
            connected.send_modify(|count| *count += 1);
        }
        Event::Disconnected | Event::Closed => {
            tracing::warn!("the connection to NATS is lost");
            disconnected.send_modify(|count| *count += 1);
        }
        Event::SlowConsumer(_) => tracing::warn!(%event, "messages from NATS are dropped: a subscriber is too slow"),
        other => tracing::warn!(event = %other, "NATS reports"),
    }
}
