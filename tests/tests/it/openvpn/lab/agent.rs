//! The agent of the lab.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

use serde_json::Value;
use test_support::{eventually, now, shared_servers};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::{Lab, kill, text};

impl Lab {
    /// The agent's other commands, as an administrator calls them: whether all is well, and what is printed.
    pub(crate) fn agent_says(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(shared_servers().binaries.join("agent"))
            .args(arguments)
            .arg("--config")
            .arg(self.file("agent.toml"))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// What the agent tells Prometheus.
    pub(crate) fn agent_metrics(&self) -> String {
        let mut metrics = String::new();
        let mut socket = UnixStream::connect(self.file("status.sock")).unwrap();
        socket
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: agent\r\n\r\n")
            .unwrap();
        socket.read_to_string(&mut metrics).unwrap();
        metrics
    }

    /// One number of the agent's metrics, as `spool_oldest_seconds`.
    pub(crate) fn agent_gauge(&self, name: &str) -> f64 {
        let metrics = self.agent_metrics();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(&format!("openvpn_agent_{name} ")));
        line.unwrap_or_else(|| panic!("{name}: {metrics}")).parse().unwrap()
    }

    /// Waits until the agent has asked the daemon for its status once more: all that was before is in its counters.
    pub(crate) async fn has_polled_again(&self) {
        let asked = now();
        eventually("the agent to have polled the daemon", async || {
            let (_, said) = self.agent_says(&["status", "--json"]);
            let report: Value = serde_json::from_str(said.split_inclusive("\n}\n").next()?).ok()?;
            let heard = report["sources"]["management"]["heard_at"].as_str()?;
            (OffsetDateTime::parse(heard, &Rfc3339).unwrap() > asked + Duration::seconds(1)).then_some(())
        })
        .await;
    }

    pub(crate) fn start_agent(&self) {
        let config = self.folder.join("agent.toml").display().to_string();
        let mut command = Command::new(shared_servers().binaries.join("agent"));
        command.args(["run", "--config", &config]).env_clear();
        self.with_clock(&mut command);
        *self.agent.lock().unwrap() = Some(self.spawn(command, "agent.log"));
    }

    /// Returns when the agent holds the management interface.
    pub(crate) async fn attached(&self) {
        eventually("the agent to be attached", async || {
            self.agent_log()
                .contains("Attached to the management interface")
                .then_some(())
        })
        .await;
    }

    /// kill -9 of the agent.
    pub(crate) fn kill_agent(&self) {
        kill(&self.agent);
    }

    /// Waits until the agent has written a command down.
    pub(crate) async fn has_in_its_journal(&self, command: &str) {
        let path = self.folder.join("agent/commands").join(format!("{command}.json"));
        eventually("the command to be in the journal", async || path.exists().then_some(())).await;
    }

    /// Waits until a command has come so far in the agent's journal, or further.
    pub(crate) async fn has_come_to(&self, command: &str, states: &[&str]) {
        let path = self.folder.join("agent/commands").join(format!("{command}.json"));
        eventually(&format!("the command to be {states:?}"), async || {
            let record = text(&path);
            let is_in = |state: &&str| record.contains(&format!("\"state\":\"{state}\""));
            states.iter().any(is_in).then_some(())
        })
        .await;
    }

    /// Waits until the agent has ended by itself.
    pub(crate) async fn agent_has_given_up(&self) {
        let mut agent = self.agent.lock().unwrap().take().expect("it runs");
        eventually("the agent to end", async || agent.try_wait().unwrap()).await;
    }

    /// Starts the agent again, on a configuration that does not name the management interface.
    pub(crate) fn without_management(&self) {
        let path = self.folder.join("agent.toml");
        let config = text(&path);
        let lines: Vec<&str> = config
            .lines()
            .filter(|line| !line.starts_with("management ="))
            .collect();
        fs::write(&path, lines.join("\n")).unwrap();
        self.kill_agent();
        self.start_agent();
    }

    /// The agent's API key.
    pub(crate) fn agent_key(&self) -> String {
        let config = text(&self.folder.join("agent.toml"));
        let line = config.lines().find_map(|line| line.strip_prefix("api_key = \""));
        line.expect("it has a key").trim_end_matches('"').to_owned()
    }

    pub(crate) fn agent_log(&self) -> String {
        text(&self.folder.join("agent.log"))
    }
}
