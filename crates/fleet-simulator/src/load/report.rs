//! What a load came to.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::time::Duration;

use serde::Serialize;

use super::worker::Tally;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    pub seconds: f64,
    pub requests: u64,
    pub events_sent: u64,
    /// As the answers count them.
    pub events_accepted: u64,
    pub requests_per_second: f64,
    /// Accepted events.
    pub events_per_second: f64,
    pub bytes_sent: u64,
    /// Number of answers with each HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer.
    pub connection_errors: u64,
    /// Of accepted requests; exact.
    pub latency_ms: Latency,
    /// CPU time of this program's main thread; `None` where the system does not tell.
    pub cpu_seconds: Option<f64>,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl LoadReport {
    pub(super) fn new(tallies: Vec<Tally>, elapsed: Duration) -> Self {
        let mut total = Tally::default();
        for tally in tallies {
            total.requests += tally.requests;
            total.events_sent += tally.events_sent;
            total.events_accepted += tally.events_accepted;
            total.bytes_sent += tally.bytes_sent;
            total.connection_errors += tally.connection_errors;
            total.latencies.extend(tally.latencies);
            tally
                .statuses
                .into_iter()
                .for_each(|(status, count)| *total.statuses.entry(status).or_default() += count);
        }
        let seconds = elapsed.as_secs_f64().max(1e-6);
        Self {
            seconds,
            requests: total.requests,
            events_sent: total.events_sent,
            events_accepted: total.events_accepted,
            requests_per_second: total.requests as f64 / seconds,
            events_per_second: total.events_accepted as f64 / seconds,
            bytes_sent: total.bytes_sent,
            statuses: total.statuses,
            connection_errors: total.connection_errors,
            latency_ms: Latency::of(total.latencies),
            cpu_seconds: cpu_seconds(),
        }
    }
}

impl Latency {
    /// Of latencies in microseconds.
    fn of(mut micros: Vec<u32>) -> Self {
        if micros.is_empty() {
            return Self::default();
        }
        micros.sort_unstable();
        let at = |share: f64| {
            let rank = (share * micros.len() as f64).ceil() as usize;
            f64::from(micros[rank.clamp(1, micros.len()) - 1]) / 1e3
        };
        let mean = micros.iter().map(|micros| f64::from(*micros)).sum::<f64>() / micros.len() as f64 / 1e3;
        Self {
            mean,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: at(1.0),
        }
    }
}

/// First number: nanoseconds on a CPU.
fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

impl fmt::Display for LoadReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency {
            mean,
            p50,
            p90,
            p95,
            p99,
            p999,
            max,
        } = self.latency_ms;
        writeln!(
            formatter,
            "events    {} sent, {} accepted in {:.2} s: {:.0}/s",
            self.events_sent, self.events_accepted, self.seconds, self.events_per_second
        )?;
        writeln!(
            formatter,
            "requests  {}: {:.0}/s, {:.1} MB",
            self.requests,
            self.requests_per_second,
            self.bytes_sent as f64 / 1e6
        )?;
        let statuses: Vec<String> = self
            .statuses
            .iter()
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        writeln!(
            formatter,
            "answers   {}, without an answer: {}",
            if statuses.is_empty() {
                "none".to_owned()
            } else {
                statuses.join(", ")
            },
            self.connection_errors
        )?;
        write!(
            formatter,
            "latency   mean {mean:.2}, p50 {p50:.2}, p90 {p90:.2}, p95 {p95:.2}, p99 {p99:.2}, p99.9 {p999:.2}, max {max:.2} ms"
        )?;
        if let Some(seconds) = self.cpu_seconds {
            write!(
                formatter,
                "\nown CPU   {seconds:.2} s, {:.1} µs an event",
                seconds * 1e6 / self.events_sent.max(1) as f64
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact() {
        let latency = Latency::of((1..=1000).rev().map(|milliseconds| milliseconds * 1000).collect());
        assert_eq!(
            (latency.p50, latency.p99, latency.p999, latency.max),
            (500.0, 990.0, 999.0, 1000.0)
        );
        assert_eq!(Latency::of(Vec::new()), Latency::default());
    }
}
