//! `agent check`: reads the server's configuration, tries what can be tried, and says what to add where.

mod access;
mod advice;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use access::{Account, Wanted};
use advice::{Advice, Finding, advise};
use openvpn::status::parse_status;
use reqwest::{Method, StatusCode};
use server::Server;

use crate::client::ApiClient;
use crate::clock;
use crate::config::Config;
use crate::health::skew;
use crate::management::{self, Address, ManagementError};
use crate::{inbox, local};

/// The account that the package makes for the agent.
const ACCOUNT: &str = "openvpn-telemetry";
/// Seconds that the clocks may differ by.
const SKEW: f64 = 5.0;
/// For each thing that is tried.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a configuration or script; a larger file is none.
const MAX_FILE: u64 = 4 << 20;

/// What the check came to.
#[derive(Debug, Default)]
pub struct Outcome {
    findings: Vec<Finding>,
    server: Option<(PathBuf, Vec<String>)>,
    agent: Option<(PathBuf, Vec<String>)>,
}

/// Checks the server of `openvpn_config` (or the only one that is found) and the agent of `config`.
pub async fn check(openvpn_config: Option<PathBuf>, config: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    let settings = match Config::load(config) {
        Ok(settings) => Some(settings),
        Err(error) => {
            outcome.missing(format!("{error:#}."));
            None
        }
    };
    let hook = hook_command(settings.as_ref());
    match openvpn_config.map_or_else(find_server, Ok) {
        Ok(file) => outcome.server(&file, config, settings.as_ref(), &hook).await,
        Err(what) => outcome.missing(what),
    }
    if let Some(settings) = &settings {
        outcome.api(settings).await;
    }
    outcome
}

/// The only server's configuration in the folders where Debian and Fedora keep them.
fn find_server() -> Result<PathBuf, String> {
    let mut found: Vec<PathBuf> = ["/etc/openvpn/server", "/etc/openvpn"]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.filter_map(|entry| entry.ok().map(|entry| entry.path())))
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        // A host may be a client of other servers.
        .filter(|path| read(path).is_ok_and(|text| Server::read(path, &text).is_server))
        .collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(
            "No OpenVPN server's configuration is in /etc/openvpn/server or /etc/openvpn: name it with --openvpn-config FILE."
                .to_owned(),
        ),
        _ => Err("There are several OpenVPN servers' configurations: name one with --openvpn-config FILE.".to_owned()),
    }
}

/// This program, as the daemon has to call it.
fn hook_command(settings: Option<&Config>) -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "openvpn-telemetry-agent".into());
    match settings {
        Some(settings) if settings.state_dir != crate::config::default_state_dir() => {
            format!(
                "{} hook --state-dir {}",
                program.display(),
                settings.state_dir.display()
            )
        }
        _ => format!("{} hook", program.display()),
    }
}

/// A script is this program, or calls it.
fn calls_hook(script: &str) -> bool {
    let Some(program) = script.split_whitespace().next() else {
        return false;
    };
    let same = |path: &Path| std::env::current_exe().ok() == fs::canonicalize(path).ok();
    if same(Path::new(program)) {
        return script.split_whitespace().nth(1) == Some("hook");
    }
    let calls = |line: &str| {
        let mut words = line.split_whitespace().skip_while(|word| !same(Path::new(word)));
        words.next().is_some() && words.next() == Some("hook")
    };
    read(Path::new(program)).is_ok_and(|text| text.lines().any(calls))
}

fn read(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

impl Outcome {
    pub fn is_good(&self) -> bool {
        !self
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::Missing(_)))
    }

    /// For the terminal.
    pub fn to_text(&self) -> String {
        let line = |finding: &Finding| match finding {
            Finding::Good(text) => format!("  ok       {text}\n"),
            Finding::Note(text) => format!("  note     {text}\n"),
            Finding::Missing(text) => format!("  MISSING  {text}\n"),
        };
        let mut text: String = self.findings.iter().map(line).collect();
        for (what, addition) in [("Add to", &self.server), ("Set in", &self.agent)] {
            if let Some((file, lines)) = addition {
                text += &format!("\n{what} {}:\n\n", file.display());
                text.extend(lines.iter().map(|line| format!("    {line}\n")));
            }
        }
        if self.server.is_some() {
            text += "\nThen restart the OpenVPN server, and check again.\n";
        }
        text
    }

    fn good(&mut self, text: impl Into<String>) {
        self.findings.push(Finding::Good(text.into()));
    }

    fn missing(&mut self, text: impl Into<String>) {
        self.findings.push(Finding::Missing(text.into()));
    }

    async fn server(&mut self, file: &Path, config: &Path, settings: Option<&Config>, hook: &str) {
        let text = match read(file) {
            Ok(text) => text,
            Err(error) => return self.missing(format!("{} cannot be read: {error}.", file.display())),
        };
        let server = Server::read(file, &text);
        let Advice {
            findings,
            server_lines,
            wanted,
        } = advise(&server, hook, calls_hook);
        self.findings.extend(findings);
        let complete = server_lines.is_empty();
        if !complete {
            self.server = Some((file.to_owned(), server_lines));
        }
        let is_set = settings.is_some_and(|settings| wanted.is_in(&settings.openvpn));
        if !is_set {
            self.missing(format!("{} does not say where this daemon is heard.", config.display()));
            self.agent = Some((config.to_owned(), agent_lines(settings, wanted.to_lines())));
        }
        if let Some(settings) = settings {
            self.hooks_can_write(&server, settings);
            if complete && is_set {
                self.sources(settings).await;
            }
        }
    }

    /// The daemon runs its hooks as the user that it has become.
    fn hooks_can_write(&mut self, server: &Server, settings: &Config) {
        let Some(daemon) = Account::of_daemon(server.user.as_deref(), server.group.as_deref()) else {
            return self.missing("The user or group that the daemon runs as does not exist on this host.");
        };
        let inbox = settings.inbox();
        if let Err(what) = daemon.may(Wanted::Fill, &inbox) {
            let group = server.group.as_deref().unwrap_or("root");
            return self.missing(format!(
                "The daemon's hooks cannot leave anything for the agent: {what}. Set it right: install -d -o {ACCOUNT} -g {group} \
                 -m 2770 {}",
                inbox.display()
            ));
        }
        let program = std::env::current_exe().unwrap_or_default();
        match daemon.may(Wanted::Run, &program) {
            Ok(()) => self.good(format!(
                "User {} may run the hook and leave its word in {}.",
                daemon.name,
                inbox.display()
            )),
            Err(what) => self.missing(format!("The daemon cannot run the hook: {what}.")),
        }
        match inbox::waiting(&inbox, 10_000).map(|waiting| waiting.len()) {
            Ok(0) | Err(_) => {}
            Ok(waiting) => self.findings.push(Finding::Note(format!(
                "{waiting} calls of hooks wait for the agent in {}: is it running?",
                inbox.display()
            ))),
        }
    }

    async fn sources(&mut self, settings: &Config) {
        let account = Account::named(ACCOUNT);
        if let Some(address) = settings.openvpn.management.as_deref().and_then(Address::parse) {
            if let (Address::Unix(path), Some(account)) = (&address, &account)
                && let Err(what) = account.may(Wanted::Write, path)
            {
                self.missing(format!("The agent cannot use the management interface: {what}."));
            }
            self.management(settings, &address).await;
        }
        if let Some(file) = &settings.openvpn.status_file {
            if let Some(Err(what)) = account.as_ref().map(|account| account.may(Wanted::Read, file)) {
                self.missing(format!("The agent cannot use the status file: {what}."));
            }
            match read(file)
                .map_err(|error| error.to_string())
                .and_then(|text| parse_status(&text).map_err(|error| error.to_string()))
            {
                Ok(report) => self.good(format!(
                    "{} is a status report of version {}, with {} clients.",
                    file.display(),
                    report.version,
                    report.clients.len()
                )),
                Err(error) => self.missing(format!("{} cannot be read: {error}.", file.display())),
            }
        }
    }

    async fn management(&mut self, settings: &Config, address: &Address) {
        let password = match &settings.openvpn.management_password_file {
            Some(file) => match read(file) {
                Ok(text) => text.lines().next().map(str::to_owned),
                Err(error) => return self.missing(format!("{} cannot be read: {error}.", file.display())),
            },
            None => None,
        };
        match management::probe(address, password.as_deref()).await {
            Ok(()) => self.good("The management interface answers, and no other client is attached."),
            Err(ManagementError::Occupied) if held_by_agent(settings).await => {
                self.good("The management interface is held by the agent that runs here.");
            }
            Err(error) => self.missing(format!("{}.", readable(error))),
        }
    }

    async fn api(&mut self, settings: &Config) {
        let client = match ApiClient::new(settings) {
            Ok(client) => client,
            Err(error) => return self.missing(format!("{error:#}.")),
        };
        let nothing = serde_json::json!({
            "server_id": settings.server_id,
            "sent_at": agent_api::format_time(clock::now()),
            "events": [],
        });
        let request = client.request(Method::POST, "/events").json(&nothing).timeout(PATIENCE);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                return self.missing(format!(
                    "The product does not answer at {}: {}.",
                    settings.api_url,
                    readable(error)
                ));
            }
        };
        if let Some(skew) = skew(response.headers(), clock::now()) {
            match skew.abs() > SKEW {
                true => self.missing(format!(
                    "This host's clock is {skew:+.0} s off the product's: set it, best by NTP."
                )),
                false => self.good("This host's clock and the product's agree."),
            }
        }
        match response.status() {
            status if status.is_success() => {
                self.good(format!(
                    "The product answers at {}, and takes the key for {}.",
                    settings.api_url, settings.server_id
                ));
            }
            StatusCode::UNAUTHORIZED => {
                self.missing("The product does not accept the API key: it is mistyped or revoked.")
            }
            StatusCode::FORBIDDEN => {
                self.missing(format!(
                    "The API key belongs to another VPN server than {}.",
                    settings.server_id
                ));
            }
            status => self.missing(format!(
                "The product answers {status} at {}: is it the agent API?",
                settings.api_url
            )),
        }
    }
}

/// The lines that come first where there is no file yet.
fn agent_lines(settings: Option<&Config>, lines: Vec<String>) -> Vec<String> {
    let head = [
        "server_id = \"the VPN server's name in the portal\"",
        "api_url = \"https://telemetry.example.com\"",
        "api_key_file = \"/etc/openvpn-telemetry/api.key\"",
        "",
    ];
    let head = head
        .iter()
        .filter(|_| settings.is_none())
        .map(|line| (*line).to_owned());
    head.chain(lines).collect()
}

async fn held_by_agent(settings: &Config) -> bool {
    let Some(address) = Address::parse(&settings.local.listen) else {
        return false;
    };
    let report = local::ask(&address).await.ok();
    report.is_some_and(|report| {
        report
            .sources
            .get(crate::run::MANAGEMENT)
            .is_some_and(|source| source.works)
    })
}

fn readable(error: impl std::error::Error + Send + Sync + 'static) -> String {
    let parts: Vec<String> = anyhow::Error::from(error).chain().map(ToString::to_string).collect();
    parts.join(": ")
}
