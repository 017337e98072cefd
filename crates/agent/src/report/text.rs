//! A report for a person at the terminal.

use std::fmt::Write;

use time::OffsetDateTime;

use super::{Asked, Command, Daemon, Report, Waiting};
use crate::commands::journal::State;
use crate::health::{Api, DeadLetters, SKEW, Source, Told};

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
        match &self.commands {
            Some(asked) => {
                line("Denials", asked.denials_to_text(now));
                line(
                    "Commands",
                    format!("{} in hand, {} ended lately", asked.in_hand, asked.ended),
                );
                for command in &asked.latest {
                    line("Command", command.to_text(now));
                }
            }
            None => line("Commands", "not taken ([commands] enabled = false)".to_owned()),
        }
        line(
            "Inventory",
            self.inventory
                .as_ref()
                .map_or_else(not_configured, |told| told.to_text(now)),
        );
        line("Dead letters", self.dead_letters.to_text());
        for complaint in self.complaints.iter().rev().take(5) {
            line(
                "Complaint",
                format!("{} ago: {}", ago(now, complaint.at), complaint.text),
            );
        }
        text
    }

    /// For `systemctl status`.
    pub(crate) fn to_line(&self) -> String {
        let now = self.at;
        let (spool, product) = (self.spool.to_text(now), self.api.to_text(now));
        format!("{} sessions; spool {spool}; product: {product}", self.sessions)
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

impl Asked {
    fn denials_to_text(&self, now: OffsetDateTime) -> String {
        let Some(in_force) = self.denials_in_force else {
            return "the list CANNOT BE READ: nobody is kept out".to_owned();
        };
        match self.asked_at {
            Some(at) => format!("{in_force} in force, as of {} ago", ago(now, at)),
            None => format!("{in_force} in force, NOT CONFIRMED since the agent's start"),
        }
    }
}

impl Command {
    fn to_text(&self, now: OffsetDateTime) -> String {
        let state = match self.state {
            State::Taken => "taken in hand",
            State::Accepted => "accepted by the daemon",
            State::Gone => "gone; watched for coming back",
            State::StayedGone => "gone, and stayed gone",
            State::Reconnected => "gone, and has reconnected",
            State::Failed => "FAILED",
        };
        let mut text = format!("end the session of {}: {state}", self.common_name);
        if let Some(failure) = &self.failure {
            let _ = write!(text, ": {failure}");
        }
        let _ = write!(text, " ({} ago", ago(now, self.reached_at));
        if !self.reported && self.state > State::Taken {
            text += ", not yet reported";
        }
        text + ")"
    }
}

impl Told {
    fn to_text(&self, now: OffsetDateTime) -> String {
        let entries = self.entries;
        match (self.accepted_at, &self.error) {
            (Some(at), None) => format!("{entries} entries, sent {} ago; unchanged since", ago(now, at)),
            (None, None) => "not sent yet".to_owned(),
            (Some(at), Some(error)) => format!("NOT SENT: {error}; the product has that of {} ago", ago(now, at)),
            (None, Some(error)) => format!("NOT SENT: {error}"),
        }
    }
}

fn not_configured() -> String {
    "nothing to look at ([inventory] is not set)".to_owned()
}

impl DeadLetters {
    fn to_text(&self) -> String {
        match (self.count, &self.last) {
            (0, _) => "none".to_owned(),
            (count, None) => format!("{count}, all of before the agent's start"),
            (count, Some(why)) => format!("{count}; the last: {why}"),
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
