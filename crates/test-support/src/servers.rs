use std::path::PathBuf;
use std::sync::OnceLock;

use crate::http::install_tls_provider;

/// The servers that `deploy/local/with-test-servers` started for this run.
#[derive(Debug)]
pub struct SharedServers {
    /// A role that may create databases, connected to a database that nobody tests with.
    pub database_url: String,
    /// The migrated database that tests clone.
    pub template: String,
    /// Of every service's database role.
    pub(crate) role_password: String,
    pub nats_url: String,
    pub redis_url: String,
    /// For files of tests; removed at the end of the run.
    pub directory: PathBuf,
    /// The binaries under test.
    pub binaries: PathBuf,
    /// `deploy/local`.
    pub(crate) scripts: PathBuf,
}

/// The servers of this run.
///
/// # Panics
/// When the test was not started through `make test` or `deploy/local/with-test-servers`.
pub fn shared_servers() -> &'static SharedServers {
    static SERVERS: OnceLock<SharedServers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        // Every test with real servers passes here before it makes a client of its own.
        install_tls_provider();
        SharedServers {
            database_url: required("OVT_TEST_DATABASE_URL"),
            template: required("OVT_TEST_TEMPLATE"),
            role_password: required("OVT_TEST_ROLE_PASSWORD"),
            nats_url: required("OVT_TEST_NATS_URL"),
            redis_url: required("OVT_TEST_REDIS_URL"),
            directory: required("OVT_TEST_DIR").into(),
            binaries: required("OVT_TEST_BIN_DIR").into(),
            scripts: required("OVT_TEST_LOCAL").into(),
        }
    })
}

fn required(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: this test needs real servers, so run it through `make test` or \
             `deploy/local/with-test-servers cargo nextest run ...`"
        )
    })
}
