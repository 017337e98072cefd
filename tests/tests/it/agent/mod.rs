//! The real agent without a daemon: what it is told, it is told through its hooks and files.
#![expect(clippy::unwrap_used, reason = "a host that cannot be set up has failed its test")]

mod inventory;
mod proxy;
mod tls;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{Process, Stack, now, shared_servers, test_namespace};

/// A host with an agent. All of it ends with the test.
pub(crate) struct Host {
    folder: PathBuf,
    server_id: String,
    key: String,
    agent: Option<Process>,
}

impl Host {
    /// A host of a registered VPN server; its agent does not run yet.
    pub(crate) async fn new(stack: &Stack, server_id: &str) -> Self {
        let folder = shared_servers().directory.join(format!("host-{}", test_namespace()));
        fs::create_dir_all(folder.join("state/hooks")).unwrap();
        Self {
            folder,
            server_id: server_id.to_owned(),
            key: stack.agent(server_id).key().await.to_owned(),
            agent: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes the agent's file, with these lines at its end, and starts the agent (anew).
    pub(crate) fn run_agent(&mut self, api_url: &str, lines: &str) {
        let config = format!(
            "server_id = \"{}\"\napi_url = \"{api_url}\"\napi_key = \"{}\"\nstate_dir = \"{}\"\n{lines}\n\
             [openvpn]\nhooks = true\n[send]\nlinger_ms = 10\nlongest_pause_seconds = 1\n",
            self.server_id,
            self.key,
            self.path("state").display()
        );
        let file = self.path("agent.toml");
        fs::write(&file, config).unwrap();
        // The old one ends before the new one begins: they share a spool.
        self.agent = None;
        let arguments = ["run", "--config", file.to_str().unwrap()];
        self.agent = Some(Process::spawn("agent", &arguments, &[]));
    }

    pub(crate) fn log(&self) -> String {
        self.agent.as_ref().map(Process::log).unwrap_or_default()
    }

    /// The daemon calls its hook: a client has connected.
    pub(crate) fn connects(&self, common_name: &str, virtual_ip: &str) {
        let mut hook = Command::new(shared_servers().binaries.join("agent"));
        hook.args(["hook", "--state-dir"]).arg(self.path("state"));
        let time = now().unix_timestamp().to_string();
        let variables = [
            ("script_type", "client-connect"),
            ("common_name", common_name),
            ("time_unix", &time),
            ("trusted_ip", "203.0.113.5"),
            ("trusted_port", "1194"),
            ("ifconfig_pool_remote_ip", virtual_ip),
            ("daemon_start_time", "1770000000"),
            ("daemon_pid", "77"),
        ];
        assert!(hook.env_clear().envs(variables).status().unwrap().success());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.agent = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of a new certificate authority, below the host's.
pub(crate) fn authority(host: &Host, name: &str) -> PathBuf {
    let folder = host.path(name);
    fs::create_dir_all(&folder).unwrap();
    crate::openvpn::pki::found(&folder);
    folder
}

/// Lines of the agent's file that pin a certificate authority.
pub(crate) fn pinned(authority: &Path) -> String {
    format!("[tls]\nca_file = \"{}\"", authority.join("ca.crt").display())
}
