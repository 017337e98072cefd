use std::future::Future;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bus::proto::{AgentRequest, TelemetryBatch};
use bus::{Bus, BusConfig, Fetch};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// A bus with streams of its own on the shared server.
pub(crate) async fn bus() -> Bus {
    Bus::connect(&config()).await.unwrap()
}

pub(crate) fn config() -> BusConfig {
    let url = std::env::var("OVT_TEST_NATS_URL").expect("OVT_TEST_NATS_URL: run the tests with `make test`");
    config_at(&url)
}

fn config_at(url: &str) -> BusConfig {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let namespace = format!("t{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let small = 8 << 20;
    BusConfig {
        bus_telemetry_max_bytes: small,
        bus_rejected_max_bytes: small,
        bus_realtime_max_bytes: small,
        ..BusConfig::new(url, namespace)
    }
}

pub(crate) fn batch(name: &str) -> TelemetryBatch {
    TelemetryBatch {
        requests: vec![AgentRequest {
            server_name: name.to_owned(),
            ..Default::default()
        }],
    }
}

/// Everything that is there, waiting long for the first and shortly for the rest.
pub(crate) const ALL: Fetch = Fetch {
    max_messages: 1_000,
    max_bytes: usize::MAX,
    wait: Duration::from_secs(10),
    linger: Duration::from_millis(200),
};

/// Polls until the condition holds, at most 15 s.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !condition().await {
        assert!(Instant::now() < deadline, "not within 15 s: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A NATS of one's own, to stop and start. Needs `nats-server` in `PATH` or `OVT_NATS_SERVER`.
pub(crate) struct Nats {
    child: Child,
    port: u16,
    directory: std::path::PathBuf,
}

impl Nats {
    pub(crate) async fn start() -> (Self, BusConfig) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let directory = std::env::temp_dir().join(format!("ovt-bus-test-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let nats = Self {
            child: spawn(port, &directory),
            port,
            directory,
        };
        nats.wait_until_it_listens().await;
        let config = config_at(&format!("nats://127.0.0.1:{port}"));
        (nats, config)
    }

    pub(crate) async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(self.port, &self.directory);
        self.wait_until_it_listens().await;
    }

    async fn wait_until_it_listens(&self) {
        let port = self.port;
        eventually("NATS listens", || async move {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        // While it lives it may still write below its directory.
        while matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn spawn(port: u16, directory: &std::path::Path) -> Child {
    let configuration = directory.join("nats.conf");
    let text = format!("listen: 127.0.0.1:{port}\njetstream {{ store_dir: {directory:?}, sync_interval: always }}\n");
    std::fs::write(&configuration, text).unwrap();
    let program = std::env::var("OVT_NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
    Command::new(program)
        .arg("-c")
        .arg(configuration)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("nats-server starts")
}
