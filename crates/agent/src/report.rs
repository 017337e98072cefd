//! What the running agent knows, at one instant: for `agent status` as JSON and as text, for Prometheus as metrics.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

use crate::clock;
use crate::config::Config;
use crate::core::View;
use crate::health::{Api, Health, Source};
use crate::log::{Complaint, Complaints};
use crate::spool::read_from;

/// A clock that is off by more is shown.
const SKEW: f64 = 5.0;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub agent_version: String,
    pub server_id: String,
    pub api_url: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub running_since: OffsetDateTime,
    pub daemon: Daemon,
    pub sessions: usize,
    pub sources: BTreeMap<String, Source>,
    pub spool: Waiting,
    pub api: Api,
    pub complaints: Vec<Complaint>,
}

/// The OpenVPN daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemon {
    pub version: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// The kernel moves the data.
    pub dco: Option<bool>,
}

/// What is on disk and not yet with the product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub events: u64,
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest_at: Option<OffsetDateTime>,
    pub bytes: u64,
    pub limit_bytes: u64,
    /// Updates given up since the agent's start because the spool was full.
    pub given_up: u64,
}

/// Makes reports.
#[derive(Debug, Clone)]
pub struct Reporter {
    server_id: String,
    api_url: String,
    spool: PathBuf,
    spool_limit: u64,
    running_since: OffsetDateTime,
    health: Health,
    complaints: Complaints,
    view: watch::Receiver<View>,
    sent: watch::Receiver<u64>,
}

impl Reporter {
    pub fn new(
        config: &Config,
        health: Health,
        complaints: Complaints,
        view: watch::Receiver<View>,
        sent: watch::Receiver<u64>,
    ) -> Self {
        Self {
            server_id: config.server_id.clone(),
            api_url: config.api_url.clone(),
            spool: config.spool_dir(),
            spool_limit: config.spool.max_mib << 20,
            running_since: clock::now(),
            health,
            complaints,
            view,
            sent,
        }
    }

    pub async fn report(&self) -> Report {
        let view = self.view.borrow().clone();
        let sent = *self.sent.borrow();
        let events = view.next_index.saturating_sub(sent);
        let oldest_at = match events {
            0 => None,
            _ => self.oldest(sent).await,
        };
        Report {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            server_id: self.server_id.clone(),
            api_url: self.api_url.clone(),
            at: clock::now(),
            running_since: self.running_since,
            daemon: Daemon {
                version: view.daemon_version,
                started_at: view
                    .daemon_started_at
                    .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()),
                dco: view.dco,
            },
            sessions: view.sessions,
            sources: self.health.sources(),
            spool: Waiting {
                events,
                oldest_at,
                bytes: view.spool_bytes,
                limit_bytes: self.spool_limit,
                given_up: view.dropped,
            },
            api: self.health.api(),
            complaints: self.complaints.list(),
        }
    }

    /// The time of the first event that waits.
    async fn oldest(&self, sent: u64) -> Option<OffsetDateTime> {
        #[derive(Deserialize)]
        struct Spooled {
            event: At,
        }
        #[derive(Deserialize)]
        struct At {
            #[serde(with = "time::serde::rfc3339")]
            event_time_vpn: OffsetDateTime,
        }
        let spool = self.spool.clone();
        let read = tokio::task::spawn_blocking(move || read_from(&spool, sent, 1, 1));
        let records = read.await.ok()?.ok()?;
        let spooled: Spooled = serde_json::from_slice(&records.first()?.payload).ok()?;
        Some(spooled.event.event_time_vpn)
    }
}

impl Report {
    /// For a person at the terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<14}{value}");
        };
        let now = self.at;
        line("VPN server", self.server_id.clone());
        line(
            "Agent",
            format!("{}, running for {}", self.agent_version, ago(now, self.running_since)),
        );
        line("Daemon", self.daemon.to_text(now));
        line("Sessions", self.sessions.to_string());
        for (name, source) in &self.sources {
            line("Source", format!("{name} ({}): {}", source.place, source.to_text(now)));
        }
        line("Spool", self.spool.to_text(now));
        line("Product", format!("{}: {}", self.api_url, self.api.to_text(now)));
        if let Some(skew) = self.api.skew_seconds {
            let flag = if skew.abs() > SKEW { "  (set the clock!)" } else { "" };
            line("Clock", format!("{skew:+.1} s against the product's{flag}"));
        }
        for complaint in self.complaints.iter().rev().take(5) {
            line(
                "Complaint",
                format!("{} ago: {}", ago(now, complaint.at), complaint.text),
            );
        }
        text
    }

    /// Whether sessions arrive: a source works, and the product answers.
    pub fn is_well(&self) -> bool {
        let recently = |at: OffsetDateTime| self.at - at < Duration::minutes(5);
        self.sources.values().any(|source| source.works) && self.api.accepted_at.is_some_and(recently)
    }

    /// In the text format of Prometheus.
    pub fn to_metrics(&self) -> String {
        let mut metrics = Metrics::default();
        let age = |at: Option<OffsetDateTime>| at.map(|at| (self.at - at).as_seconds_f64().max(0.0));
        metrics.gauge("sessions", "Sessions that the daemon has.", Some(self.sessions as f64));
        metrics.begin("source_up", "1: the source works.");
        for (name, source) in &self.sources {
            metrics.value(
                "source_up",
                &format!("{{source=\"{name}\"}}"),
                f64::from(u8::from(source.works)),
            );
        }
        metrics.gauge("spool_events", "Events that wait.", Some(self.spool.events as f64));
        let oldest = age(self.spool.oldest_at).unwrap_or_default();
        metrics.gauge(
            "spool_oldest_seconds",
            "Age of the oldest event that waits.",
            Some(oldest),
        );
        metrics.gauge(
            "spool_bytes",
            "Size of the spool on disk.",
            Some(self.spool.bytes as f64),
        );
        metrics.gauge("spool_limit_bytes", "Its limit.", Some(self.spool.limit_bytes as f64));
        let given_up = Some(self.spool.given_up as f64);
        metrics.gauge(
            "spool_given_up_events",
            "Updates given up because the spool was full.",
            given_up,
        );
        let accepted = age(self.api.accepted_at);
        metrics.gauge(
            "accepted_age_seconds",
            "Since the product last accepted something.",
            accepted,
        );
        metrics.gauge(
            "clock_skew_seconds",
            "This host's clock less the product's.",
            self.api.skew_seconds,
        );
        let up = (self.at - self.running_since).as_seconds_f64();
        metrics.gauge("uptime_seconds", "Since the agent's start.", Some(up));
        metrics.0
    }
}

#[derive(Default)]
struct Metrics(String);

impl Metrics {
    fn begin(&mut self, name: &str, help: &str) {
        let _ = writeln!(
            self.0,
            "# HELP openvpn_agent_{name} {help}\n# TYPE openvpn_agent_{name} gauge"
        );
    }

    fn value(&mut self, name: &str, labels: &str, value: f64) {
        let _ = writeln!(self.0, "openvpn_agent_{name}{labels} {value}");
    }

    /// Unknown is left out, never zero.
    fn gauge(&mut self, name: &str, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.begin(name, help);
            self.value(name, "", value);
        }
    }
}

impl Daemon {
    fn to_text(&self, now: OffsetDateTime) -> String {
        let Some(started_at) = self.started_at else {
            return "nothing has told of it yet".to_owned();
        };
        let version = self.version.as_deref().unwrap_or("of unknown version");
        let dco = match self.dco {
            Some(true) => ", the kernel moves the data (DCO)",
            _ => "",
        };
        format!("OpenVPN {version}, started {} ago{dco}", ago(now, started_at))
    }
}

impl Source {
    fn to_text(&self, now: OffsetDateTime) -> String {
        let heard = self.heard_at.map_or_else(
            || "nothing heard yet".to_owned(),
            |at| format!("last heard {} ago", ago(now, at)),
        );
        match &self.error {
            Some(error) => format!("DOES NOT WORK: {error}; {heard}"),
            None => heard,
        }
    }
}

impl Waiting {
    fn to_text(&self, now: OffsetDateTime) -> String {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let mut text = match (self.events, self.oldest_at) {
            (0, _) => "empty".to_owned(),
            (events, Some(at)) => format!("{events} events wait, the oldest is {} old", ago(now, at)),
            (events, None) => format!("{events} events wait"),
        };
        let _ = write!(
            text,
            "; {:.1} of {:.0} MiB on disk",
            mib(self.bytes),
            mib(self.limit_bytes)
        );
        if self.given_up > 0 {
            let _ = write!(text, "; {} updates GIVEN UP because it was full", self.given_up);
        }
        text
    }
}

impl Api {
    fn to_text(&self, now: OffsetDateTime) -> String {
        let answer = self.answer.as_deref().unwrap_or("not asked yet");
        match self.accepted_at {
            Some(at) => format!("{answer}; last accepted {} ago", ago(now, at)),
            None => format!("{answer}; NOTHING ACCEPTED since the agent's start"),
        }
    }
}

/// `3 d 4 h`, `12 min 5 s`: the two largest units.
fn ago(now: OffsetDateTime, then: OffsetDateTime) -> String {
    let seconds = (now - then).whole_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
