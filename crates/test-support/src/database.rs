use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::{output_of, run_to_end};
use crate::roles::{with_login, with_login_of};
use crate::{HeldTransaction, shared_servers, test_namespace};

/// A database of one test, cloned from the migrated template and dropped at the test's end.
#[derive(Debug)]
pub struct TestDatabase {
    /// With the owner's login.
    pub url: String,
    /// Where the database can be dropped from; none when its whole server goes away.
    maintenance_url: Option<String>,
}

impl TestDatabase {
    /// A fresh database with the current schema.
    pub async fn create() -> Self {
        let servers = shared_servers();
        let name = test_namespace();
        let statement = format!("CREATE DATABASE {name} TEMPLATE {}", servers.template);
        run_to_end(psql(&servers.database_url, &statement)).await;
        Self {
            url: with_database(&servers.database_url, &name),
            maintenance_url: Some(servers.database_url.clone()),
        }
    }

    /// A database on a server of the test's own.
    pub(crate) fn on_private_server(url: String) -> Self {
        Self {
            url,
            maintenance_url: None,
        }
    }

    /// With the login of a service, for one that runs inside the test. Processes get theirs by themselves.
    pub fn url_of(&self, service: &str) -> String {
        with_login_of(service, &self.url)
    }

    /// Runs statements with a database role such as `ovt_auth`, and gives what [`Self::sql`] gives, or what PostgreSQL
    /// says instead.
    ///
    /// # Errors
    /// Standard error of `psql` when a statement fails.
    pub async fn try_sql_as(&self, role: &str, statements: &str) -> Result<String, String> {
        let output = output_of(psql(&with_login(role, &self.url), statements)).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(text(&output.stderr)),
        }
    }

    /// Runs statements, as an observer outside the services, and gives what `psql` prints: one line a row, columns
    /// separated by `|`.
    pub async fn sql(&self, statements: &str) -> String {
        run_to_end(psql(&self.url, statements)).await.trim_end().to_owned()
    }

    /// The rows of a query, each as a JSON object.
    pub async fn rows(&self, query: &str) -> Vec<Value> {
        let json = self
            .sql(&format!("SELECT coalesce(json_agg(r), '[]') FROM ({query}) r"))
            .await;
        serde_json::from_str(&json).expect("PostgreSQL writes JSON")
    }

    /// Runs statements and keeps their transaction open, with all its locks.
    pub async fn hold(&self, statements: &str) -> HeldTransaction {
        HeldTransaction::begin(&self.url, statements).await
    }

    /// The first column of the first row, as a number.
    ///
    /// # Panics
    /// When it is not a whole number.
    pub async fn count(&self, query: &str) -> i64 {
        let answer = self.sql(query).await;
        answer
            .parse()
            .unwrap_or_else(|_| panic!("`{query}` gave {answer:?}, not a number"))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(maintenance_url) = &self.maintenance_url else {
            return;
        };
        let name = self.url.rsplit('/').next().expect("a URL ends with the database");
        // The whole server goes away at the end of the run; this only saves disk meanwhile.
        let _ = psql(maintenance_url, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).output();
    }
}

/// The same server, another database.
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL ends with the database");
    format!("{server}/{name}")
}

fn psql(url: &str, statements: &str) -> Command {
    let mut command = Command::new("psql");
    command
        .args([
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            url,
        ])
        .args(["--command", statements])
        .stdin(Stdio::null());
    command
}
