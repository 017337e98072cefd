//! What a check tries: may the daemon's user write, is the interface free, can the status be read, does the product answer?

use std::time::Duration;

use openvpn::status::parse_status;
use reqwest::{Method, StatusCode};

use super::access::{Account, Wanted};
use super::advice::Finding;
use super::server::Server;
use super::{Outcome, read};
use crate::client::ApiClient;
use crate::config::Config;
use crate::health::{SKEW, skew};
use crate::management::{self, Address, ManagementError};
use crate::{clock, inbox, local};

/// The account that the package makes for the agent.
pub(super) const ACCOUNT: &str = "openvpn-telemetry";
/// For an answer of the product.
const PATIENCE: Duration = Duration::from_secs(5);

impl Outcome {
    /// The daemon runs its hooks as the user that it has become.
    pub(super) fn hooks_can_write(&mut self, server: &Server, settings: &Config) {
        let Some(daemon) = Account::of_daemon(server.user.as_deref(), server.group.as_deref()) else {
            return self.missing("The user or group that the daemon runs as does not exist on this host.");
        };
        let inbox = settings.inbox();
        if let Err(what) = daemon.may(Wanted::Fill, &inbox) {
            let group = server.group.as_deref().unwrap_or("root");
            let inbox = inbox.display();
            self.commands
                .push(format!("install -d -o {ACCOUNT} -g {group} -m 2770 {inbox}"));
            return self.missing(format!(
                "The daemon's hooks cannot leave anything for the agent: {what}."
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

    pub(super) async fn sources(&mut self, server: &Server, settings: &Config) {
        let account = Account::named(ACCOUNT);
        // What the daemon does not offer (yet), and what belongs to another tool, is not tried.
        let offered = |address: &&str| !server.client_auth && server.management.as_deref() == Some(*address);
        let management = settings.openvpn.management.as_deref().filter(offered);
        if let Some(address) = management.and_then(Address::parse) {
            if let (Address::Unix(path), Some(account)) = (&address, &account)
                && let Err(what) = account.reaches(Wanted::Write, path)
            {
                self.missing(format!("The agent cannot use the management interface: {what}."));
            }
            self.management(settings, &address).await;
        }
        if let Some(file) = &settings.openvpn.status_file {
            if let Some(Err(what)) = account.as_ref().map(|account| account.reaches(Wanted::Read, file)) {
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

    pub(super) async fn api(&mut self, settings: &Config) {
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
