//! The agent's one file, TOML.

use std::path::{Path, PathBuf};

use anyhow::Context;
use garde::Validate;
use serde::Deserialize;

/// Everything the agent has to know.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Config {
    /// The VPN server's name in the product.
    #[garde(pattern(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"))]
    pub server_id: String,
    /// `https://telemetry.example.com`; the agent API is below it. Plain `http://` is for the same host or a tunnel.
    #[garde(url)]
    pub api_url: String,
    /// `ovt_<key id>_<secret>`; or `api_key_file`.
    #[serde(default)]
    pub api_key: Option<String>,
    /// A file that holds the key alone, so that this one may be read by others.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// `http://proxy:3128`; without it the agent connects directly, whatever the environment says.
    #[serde(default)]
    #[garde(inner(url))]
    pub proxy: Option<String>,
    #[serde(default)]
    pub tls: Tls,
    /// The spool and the agent's memory.
    #[serde(default = "default_state_dir")]
    pub state_dir: PathBuf,
    #[serde(default)]
    #[garde(dive)]
    pub openvpn: OpenVpn,
    #[serde(default)]
    #[garde(dive)]
    pub send: Send,
    #[serde(default)]
    #[garde(dive)]
    pub spool: SpoolSizes,
    #[serde(default)]
    pub local: Local,
    #[serde(default)]
    #[garde(dive)]
    pub inventory: Inventory,
    #[serde(default)]
    #[garde(dive)]
    pub commands: CommandSettings,
}

/// What the agent tells on its own host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Local {
    /// Where `agent status` and a Prometheus (`/metrics`) ask: `unix:PATH`, `tcp:127.0.0.1:9176`, or `none`.
    pub listen: String,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            listen: "unix:/run/openvpn-telemetry-agent/status.sock".to_owned(),
        }
    }
}

/// Whom an `https` product must be certified by.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM. With it, only these certificate authorities are trusted; without it, the system's.
    pub ca_file: Option<PathBuf>,
}

/// Where the daemon can be heard.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
#[garde(allow_unvalidated)]
pub struct OpenVpn {
    /// `unix:/run/openvpn/server.sock` or `tcp:127.0.0.1:7505`.
    pub management: Option<String>,
    pub management_password_file: Option<PathBuf>,
    /// Say `hold release` to a daemon that waits for it (`management-hold`). Leave it off where another tool does that.
    pub release_hold: bool,
    /// Other tools use the management interface here, through the agent, which holds it: `unix:PATH`.
    #[garde(inner(prefix("unix:")))]
    pub passthrough: Option<String>,
    /// The file of `status FILE N`, any version.
    pub status_file: Option<PathBuf>,
    /// `agent hook` is installed as client-connect and client-disconnect script.
    pub hooks: bool,
    /// Seconds between two status reports.
    #[garde(range(min = 1, max = 3600))]
    #[serde(default = "default_poll")]
    pub poll_seconds: u32,
    /// Seconds between two updates of one session.
    #[garde(range(min = 1, max = 3600))]
    #[serde(default = "default_minute")]
    pub update_seconds: u32,
    /// Seconds between two full lists.
    #[garde(range(min = 10, max = 3600))]
    #[serde(default = "default_minute")]
    pub snapshot_seconds: u32,
}

/// How events travel.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Send {
    /// Events of one request at most.
    #[garde(range(min = 1, max = 10_000))]
    pub batch_events: usize,
    /// How long the first event of a request waits for others, milliseconds.
    #[garde(range(max = 60_000))]
    pub linger_ms: u64,
    /// How long one request may take, seconds.
    #[garde(range(min = 1, max = 600))]
    pub timeout_seconds: u64,
    /// How long making a connection, TLS included, may take, seconds.
    #[garde(range(min = 1, max = 600))]
    pub connect_timeout_seconds: u64,
    /// Longest pause between two attempts, seconds.
    #[garde(range(min = 1, max = 3600))]
    pub longest_pause_seconds: u64,
    /// Seconds between two heartbeats.
    #[garde(range(min = 5, max = 3600))]
    pub heartbeat_seconds: u64,
}

impl Default for Send {
    fn default() -> Self {
        Self {
            batch_events: 1_000,
            linger_ms: 200,
            timeout_seconds: 30,
            connect_timeout_seconds: 10,
            longest_pause_seconds: 60,
            heartbeat_seconds: 30,
        }
    }
}

/// What the server has in store for its VPN users, and where that stands. Without any file nothing is told of it.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
#[garde(allow_unvalidated)]
pub struct Inventory {
    /// easy-rsa's `pki/index.txt`: the certificates.
    pub index_file: Option<PathBuf>,
    /// PEM; otherwise that of `server_config`.
    pub crl_file: Option<PathBuf>,
    /// `client-config-dir`; otherwise that of `server_config`.
    pub ccd_dir: Option<PathBuf>,
    /// The daemon's own configuration: routes for all clients, where the list and the folder are, and which certificate is the
    /// server's own.
    pub server_config: Option<PathBuf>,
    /// Common names that are no VPN users.
    pub exclude: Vec<String>,
    /// Seconds between two looks at the files.
    #[garde(range(min = 1, max = 86_400))]
    pub poll_seconds: u64,
    /// Certificates, static addresses and routes together; with more, nothing is told.
    #[garde(range(min = 1, max = 1_000_000))]
    pub max_entries: usize,
}

impl Default for Inventory {
    fn default() -> Self {
        Self {
            index_file: None,
            crl_file: None,
            ccd_dir: None,
            server_config: None,
            exclude: Vec::new(),
            poll_seconds: 60,
            max_entries: 50_000,
        }
    }
}

/// What the product may ask of this agent.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
#[garde(allow_unvalidated)]
pub struct CommandSettings {
    /// False: the agent asks for no commands, ends no session and refuses nobody.
    pub enabled: bool,
    /// How long one poll for commands may wait for its answer, seconds.
    #[garde(range(min = 1, max = 60))]
    pub wait_seconds: u64,
    /// How long the daemon may take to end a session that it has promised to end, seconds; it takes up to 5.
    #[garde(range(min = 1, max = 120))]
    pub gone_seconds: u64,
}

impl Default for CommandSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            wait_seconds: 25,
            gone_seconds: 60,
        }
    }
}

/// Sizes on disk.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolSizes {
    /// Over this, the oldest updates are given up; connects and disconnects never. MiB.
    #[garde(range(min = 8, max = 1_048_576))]
    pub max_mib: u64,
    /// A segment that has reached this is closed. MiB.
    #[garde(range(min = 1, max = 256))]
    pub segment_mib: u64,
}

impl Default for SpoolSizes {
    fn default() -> Self {
        Self {
            max_mib: 512,
            segment_mib: 4,
        }
    }
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// One sentence that names what is wrong.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let file = config::File::from(path).format(config::FileFormat::Toml);
        let source = config::Config::builder().add_source(file).build();
        let source = source.with_context(|| format!("cannot read {}", path.display()))?;
        let mut config: Self = source
            .try_deserialize()
            .with_context(|| format!("{} is wrong", path.display()))?;
        config
            .validate()
            .with_context(|| format!("{} is wrong", path.display()))?;
        if let (None, Some(file)) = (&config.api_key, &config.api_key_file) {
            let key = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the API key from {}", file.display()))?;
            config.api_key = Some(key.trim().to_owned());
        }
        Ok(config)
    }

    /// Whether the product is reached over TLS.
    pub fn speaks_tls(&self) -> bool {
        self.api_url
            .get(..6)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// Where hooks leave what they were told.
    pub fn inbox(&self) -> PathBuf {
        self.state_dir.join("hooks")
    }

    /// What the agent was told to do.
    pub fn commands_dir(&self) -> PathBuf {
        self.state_dir.join("commands")
    }

    pub fn spool_dir(&self) -> PathBuf {
        self.state_dir.join("spool")
    }
}

pub(crate) fn default_state_dir() -> PathBuf {
    PathBuf::from("/var/lib/openvpn-telemetry-agent")
}

fn default_poll() -> u32 {
    10
}

fn default_minute() -> u32 {
    60
}
