//! What is printed.

use std::fmt;
use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::Arguments;
use crate::client::Crowd;

/// What the gateway needed.
pub(crate) struct Gateway {
    pub(crate) connecting: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) cpu_seconds: f64,
    pub(crate) bench_cpu_seconds: f64,
    pub(crate) memory_before: u64,
    pub(crate) memory_idle: u64,
    pub(crate) memory_peak: u64,
}

/// Memory of a process, kB.
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Ok(Memory {
        now: field("VmRSS:").context("VmRSS")?,
        peak: field("VmHWM:").context("VmHWM")?,
    })
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    clients: usize,
    messages_per_second: f64,
    sessions_per_message: usize,
    wanted: u64,
    received: u64,
    missed: u64,
    twice: u64,
    clients_lost: u64,
    connect_seconds: f64,
    seconds: f64,
    frames_per_second: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    gateway_cpu_percent: f64,
    gateway_cpu_micros_per_frame: f64,
    bench_cpu_percent: f64,
    gateway_mb_before: f64,
    gateway_mb_with_clients: f64,
    gateway_mb_peak: f64,
}

impl Report {
    pub(crate) fn new(arguments: &Arguments, crowd: &Crowd, wanted: u64, gateway: &Gateway) -> Self {
        let received = crowd.received();
        let seconds = gateway.elapsed.as_secs_f64();
        let megabytes = |kilobytes: u64| kilobytes as f64 / 1_024.0;
        Self {
            clients: arguments.clients,
            messages_per_second: arguments.rate,
            sessions_per_message: arguments.sessions,
            wanted,
            received,
            missed: crowd.missed.load(Ordering::Relaxed),
            twice: crowd.twice.load(Ordering::Relaxed),
            clients_lost: crowd.lost_clients(),
            connect_seconds: gateway.connecting.as_secs_f64(),
            seconds,
            frames_per_second: received as f64 / seconds,
            p50_ms: crowd.latencies.quantile(0.5),
            p90_ms: crowd.latencies.quantile(0.9),
            p99_ms: crowd.latencies.quantile(0.99),
            max_ms: crowd.latencies.quantile(1.0),
            gateway_cpu_percent: gateway.cpu_seconds / seconds * 100.0,
            gateway_cpu_micros_per_frame: gateway.cpu_seconds * 1e6 / received.max(1) as f64,
            bench_cpu_percent: gateway.bench_cpu_seconds / seconds * 100.0,
            gateway_mb_before: megabytes(gateway.memory_before),
            gateway_mb_with_clients: megabytes(gateway.memory_idle),
            gateway_mb_peak: megabytes(gateway.memory_peak),
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.received == self.wanted && self.missed == 0 && self.twice == 0 && self.clients_lost == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} clients connected in {:.1} s; {} messages a second of {} sessions for {:.1} s",
            self.clients, self.connect_seconds, self.messages_per_second, self.sessions_per_message, self.seconds
        )?;
        writeln!(
            out,
            "frames wanted {}, received {} ({:.0}/s), missed {}, twice {}, clients lost {}: {}",
            self.wanted,
            self.received,
            self.frames_per_second,
            self.missed,
            self.twice,
            self.clients_lost,
            if self.is_good() {
                "every client got every change once"
            } else {
                "NOT GOOD"
            }
        )?;
        writeln!(
            out,
            "from JetStream's acknowledgement to the client: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            self.p50_ms, self.p90_ms, self.p99_ms, self.max_ms
        )?;
        write!(
            out,
            "gateway: CPU {:.0} % of a core, {:.1} µs a frame; memory {:.0} MB, with clients {:.0} MB, peak {:.0} MB \
             (this program: CPU {:.0} %)",
            self.gateway_cpu_percent,
            self.gateway_cpu_micros_per_frame,
            self.gateway_mb_before,
            self.gateway_mb_with_clients,
            self.gateway_mb_peak,
            self.bench_cpu_percent
        )
    }
}
