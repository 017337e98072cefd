//! The services under test and the VPN servers that speak to them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use test_support::{Process, free_port, run_binary, shared_servers, test_namespace};

use crate::cpu::{Measured, Meter, pid_in};
use crate::database::Database;

/// Registered VPN servers with their keys, in a database that is copied for each phase.
#[derive(Debug)]
pub(crate) struct Fleet {
    database: Database,
    pub(crate) directory: PathBuf,
    /// A line `server_name=key` for each server.
    pub(crate) keys: PathBuf,
    pub(crate) servers: usize,
}

impl Fleet {
    pub(crate) async fn register(directory: &Path, servers: usize) -> anyhow::Result<Self> {
        let database = Database::migrated(&test_namespace())?;
        let environment = environment(&database);
        let mut lines = String::new();
        for number in 1..=servers {
            let name = format!("vpn-{number}");
            run_binary("auth", &["create-server", &name], &environment).await;
            let printed = run_binary("auth", &["create-key", &name], &environment).await;
            let key = printed.lines().last().context("the key is the last line")?;
            lines += &format!("{name}={}\n", key.trim());
        }
        let keys = directory.join("bench-keys");
        fs::write(&keys, lines)?;
        Ok(Self {
            database,
            directory: directory.to_owned(),
            keys,
            servers,
        })
    }

    /// A database in which nothing has happened yet.
    pub(crate) fn database(&self) -> anyhow::Result<Database> {
        self.database.copy(&test_namespace())
    }
}

/// What events share the cost of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units {
    pub(crate) messages: f64,
    pub(crate) transactions: f64,
}

/// One ingest and one processor.
#[derive(Debug)]
pub(crate) struct Services {
    ingest: Process,
    processor: Process,
    client: reqwest::Client,
}

impl Services {
    pub(crate) async fn start(database: &Database) -> Self {
        let environment = environment(database);
        let (ingest, processor) = (spawn("ingest", &environment), spawn("session-processor", &environment));
        ingest.ready().await;
        processor.ready().await;
        Self {
            ingest,
            processor,
            client: test_support::http_client(),
        }
    }

    pub(crate) fn ingest_url(&self) -> String {
        self.ingest.url()
    }

    /// Events that the processor says it has applied, duplicates among them.
    pub(crate) async fn events_processed(&self) -> anyhow::Result<u64> {
        Ok(self.metric(&self.processor, "processor_events_total").await? as u64)
    }

    /// How many JetStream messages and how many transactions there were so far.
    pub(crate) async fn units(&self) -> anyhow::Result<Units> {
        Ok(Units {
            messages: self.metric(&self.ingest, "ingest_message_events_size_count").await?,
            transactions: self.metric(&self.processor, "processor_batch_seconds_count").await?,
        })
    }

    async fn metric(&self, service: &Process, name: &str) -> anyhow::Result<f64> {
        let answer = self.client.get(format!("{}/metrics", service.url())).send().await?;
        let text = answer.error_for_status()?.text().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        // It appears with the first event.
        Ok(line.and_then(|value| value.parse().ok()).unwrap_or_default())
    }

    /// All that works for an event, except the load generator.
    pub(crate) fn meter(&self, directory: &Path) -> anyhow::Result<Meter> {
        let id = |process: &Process| process.id().context("a service has ended").map(Measured::Process);
        let server = |path: &str| pid_in(&directory.join(path));
        Ok(Meter(vec![
            ("ingest", id(&self.ingest)?),
            ("session-processor", id(&self.processor)?),
            ("nats", Measured::Process(server("nats/pid")?)),
            ("postgres", Measured::Family(server("postgres/data/postmaster.pid")?)),
            ("redis", Measured::Process(server("redis/pid")?)),
        ]))
    }

    pub(crate) async fn stop(self) {
        for process in [&self.ingest, &self.processor] {
            process.terminate();
            process.exited().await;
        }
    }
}

fn spawn(name: &str, environment: &[(String, String)]) -> Process {
    let mut environment = environment.to_vec();
    environment.push(("HTTP_ADDR".to_owned(), format!("127.0.0.1:{}", free_port())));
    Process::spawn(name, &[], &environment)
}

/// The defaults, but for a limit that would otherwise be what is measured. Settings of the services given to this program
/// are handed on, so that they can be tried.
fn environment(database: &Database) -> Vec<(String, String)> {
    let (servers, namespace) = (shared_servers(), test_namespace());
    let own = [
        ("DATABASE_URL", database.url.as_str()),
        ("NATS_URL", &servers.nats_url),
        ("BUS_NAMESPACE", &namespace),
        ("REDIS_URL", &servers.redis_url),
        ("REDIS_PREFIX", &namespace),
        ("INGEST_EVENTS_PER_SECOND", "1000000"),
        ("INGEST_EVENTS_BURST", "1000000"),
        ("LOG_LEVEL", "warn"),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let given = std::env::vars().filter(|(name, _)| name.starts_with("PROCESSOR_") || name.starts_with("INGEST_"));
    own.into_iter().chain(given).collect()
}
