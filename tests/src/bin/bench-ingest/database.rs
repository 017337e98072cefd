//! Databases on the run's PostgreSQL, through `psql`: a client that is none of ours.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use test_support::shared_servers;

/// A database of this run; goes away with the server.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// Another one with the migrated schema.
    pub(crate) fn migrated(name: &str) -> anyhow::Result<Self> {
        Self::create(name, &shared_servers().template)
    }

    /// A copy of this one.
    pub(crate) fn copy(&self, name: &str) -> anyhow::Result<Self> {
        Self::create(name, &self.name)
    }

    fn create(name: &str, template: &str) -> anyhow::Result<Self> {
        let server = &shared_servers().database_url;
        let (base, _) = server
            .rsplit_once('/')
            .context("the server's URL ends with a database")?;
        let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
        run(psql(server).args(["--command", &statement]))?;
        Ok(Self {
            name: name.to_owned(),
            url: format!("{base}/{name}"),
        })
    }

    /// Runs statements, each in its own transaction unless they say otherwise; gives what they print.
    pub(crate) fn sql(&self, statements: &str) -> anyhow::Result<String> {
        run(psql(&self.url).args(["--command", statements]))
    }

    pub(crate) fn count(&self, query: &str) -> anyhow::Result<u64> {
        let answer = self.sql(query)?;
        answer
            .trim()
            .parse()
            .with_context(|| format!("{query:?} gave {answer:?}"))
    }

    /// The rows of a query in COPY's text format, one line each.
    pub(crate) fn copy_out(&self, query: &str) -> anyhow::Result<String> {
        self.sql(&format!("COPY ({query}) TO STDOUT"))
    }

    /// Runs a script over one connection and throws its output away.
    pub(crate) fn run_script(&self, path: &Path) -> anyhow::Result<()> {
        run(psql(&self.url).arg("--output=/dev/null").arg("--file").arg(path)).map(drop)
    }

    /// The columns of a table, separated by commas.
    pub(crate) fn columns(&self, table: &str) -> anyhow::Result<String> {
        let answer = self.sql(&format!(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        ))?;
        Ok(answer.trim().to_owned())
    }
}

fn psql(url: &str) -> Command {
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
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("psql could not be started")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "psql failed: {}", errors.trim());
    Ok(String::from_utf8(output.stdout)?)
}
