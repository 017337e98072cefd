use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{run_to_end, script};
use crate::roles::PASSWORD_VARIABLES;
use crate::{TestDatabase, free_port, shared_servers, test_namespace};

const DATABASE: &str = "telemetry";

/// One test's own PostgreSQL, NATS and Redis, which it may stop, kill and start again: data and ports stay, and every
/// write waits for the disk.
#[derive(Debug)]
pub struct PrivateServers {
    pub postgres: PrivateServer,
    pub nats: PrivateServer,
    pub redis: PrivateServer,
    directory: PathBuf,
    database_url: String,
}

impl PrivateServers {
    /// Starts all three and migrates a database.
    pub async fn start() -> Self {
        let directory = shared_servers().directory.join("private").join(test_namespace());
        make_reachable(&directory);
        let server = |kind| PrivateServer {
            kind,
            directory: directory.join(kind),
            port: free_port(),
        };
        let (postgres, nats, redis) = (server("postgres"), server("nats"), server("redis"));
        tokio::join!(postgres.start(), nats.start(), redis.start());
        let database_url = create_database(&postgres).await;
        Self {
            postgres,
            nats,
            redis,
            directory,
            database_url,
        }
    }

    /// The migrated database.
    pub fn database(&self) -> TestDatabase {
        TestDatabase::on_private_server(self.database_url.clone())
    }

    pub fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.nats.port)
    }

    pub fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.redis.port)
    }
}

impl Drop for PrivateServers {
    fn drop(&mut self) {
        for server in [&self.nats, &self.redis, &self.postgres] {
            let _ = Command::new(shared_servers().scripts.join(server.kind))
                .arg("kill")
                .arg(&server.directory)
                .status();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// One server of [`PrivateServers`].
#[derive(Debug)]
pub struct PrivateServer {
    kind: &'static str,
    directory: PathBuf,
    pub port: u16,
}

impl PrivateServer {
    /// Starts it, with the data of the time before, and waits until it answers.
    pub async fn start(&self) {
        let port = self.port.to_string();
        script(
            self.kind,
            &["start".as_ref(), self.directory.as_os_str(), port.as_ref()],
            &[],
        )
        .await;
    }

    /// Stops it cleanly and waits for the end.
    pub async fn stop(&self) {
        script(self.kind, &["stop".as_ref(), self.directory.as_os_str()], &[]).await;
    }

    /// Ends it as a crash would.
    pub async fn kill(&self) {
        script(self.kind, &["kill".as_ref(), self.directory.as_os_str()], &[]).await;
    }
}

async fn create_database(postgres: &PrivateServer) -> String {
    let directory = postgres.directory.as_os_str();
    script("postgres", &["database".as_ref(), directory, DATABASE.as_ref()], &[]).await;
    let url = script("postgres", &["url".as_ref(), directory, DATABASE.as_ref()], &[])
        .await
        .trim()
        .to_owned();
    let mut migrations = Command::new(shared_servers().binaries.join("migrations"));
    let password = &shared_servers().role_password;
    migrations
        .arg("up")
        .env("DATABASE_URL", &url)
        .envs(PASSWORD_VARIABLES.map(|variable| (variable, password)));
    run_to_end(migrations).await;
    url
}

/// The user that PostgreSQL runs as must reach its data, whatever the umask here.
fn make_reachable(directory: &Path) {
    fs::create_dir_all(directory).expect("a directory below the run's own");
    for path in [directory.parent().expect("it has one"), directory] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is our own");
    }
}
