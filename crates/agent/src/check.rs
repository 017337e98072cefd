//! `agent check`: reads the server's configuration, tries what can be tried, and says what to add where.

mod access;
mod advice;
mod inventory;
mod probes;
mod server;

use std::fs;
use std::path::{Path, PathBuf};

use access::Account;
use advice::{Advice, Finding, advise};
use server::Server;

use crate::config::{Config, Inventory};

/// Bytes of a configuration or script; a larger file is none.
const MAX_FILE: u64 = 4 << 20;

/// What the check came to.
#[derive(Debug, Default)]
pub struct Outcome {
    findings: Vec<Finding>,
    server: Option<(PathBuf, Vec<String>)>,
    /// To be given to a shell.
    commands: Vec<String>,
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
        let mut block = |heading: String, lines: &[String]| {
            text += &format!("\n{heading}:\n\n");
            text.extend(lines.iter().map(|line| format!("    {line}\n")));
        };
        if let Some((file, lines)) = &self.server {
            block(format!("Add to {}", file.display()), lines);
        }
        if !self.commands.is_empty() {
            block("Run, as root".to_owned(), &self.commands);
        }
        if let Some((file, lines)) = &self.agent {
            block(format!("Set in {}", file.display()), lines);
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
        if !server_lines.is_empty() {
            self.server = Some((file.to_owned(), server_lines));
        }
        let is_set = settings.is_some_and(|settings| wanted.is_in(&settings.openvpn));
        if !is_set {
            self.missing(format!("{} does not say where this daemon is heard.", config.display()));
            self.agent = Some((config.to_owned(), agent_lines(settings, wanted.to_lines())));
        }
        if let Some(settings) = settings {
            self.hooks_can_write(&server, settings);
            self.sources(&server, settings).await;
        }
        let account = Account::named(probes::ACCOUNT);
        // Without the package's account there is nobody to ask for.
        let may = |wanted, path: &Path| account.as_ref().map_or(Ok(()), |account| account.reaches(wanted, path));
        let unset = Inventory::default();
        self.inventory(
            file,
            config,
            settings.map_or(&unset, |settings| &settings.inventory),
            &may,
        );
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
