//! A report as metrics.

use std::fmt::Write;

use time::OffsetDateTime;

use super::Report;

impl Report {
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
        if let Some(asked) = &self.commands {
            let age = age(asked.asked_at);
            metrics.gauge(
                "asked_age_seconds",
                "Since the product last said what it asks of this agent.",
                age,
            );
            let denials = asked.denials_in_force.map(|count| count as f64);
            metrics.gauge("denials_in_force", "VPN users who may not connect.", denials);
            metrics.gauge(
                "commands_in_hand",
                "Commands whose end is not known.",
                Some(asked.in_hand as f64),
            );
            let ended = Some(asked.ended as f64);
            metrics.gauge("commands_ended", "Commands that have come to their end lately.", ended);
        }
        if let Some(told) = &self.inventory {
            let is_told = told.error.is_none() && told.accepted_at.is_some();
            let is_told = Some(f64::from(u8::from(is_told)));
            metrics.gauge(
                "inventory_up",
                "1: the product has the inventory as the files say it.",
                is_told,
            );
            metrics.gauge(
                "inventory_age_seconds",
                "Since the inventory was sent.",
                age(told.accepted_at),
            );
        }
        let dead_letters = Some(self.dead_letters.count as f64);
        metrics.gauge("dead_letters", "Events that the product has refused.", dead_letters);
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
