//! `bench-realtime`: thousands of WebSocket clients of one gateway, each of which must get every change, once. Needs the
//! servers of `deploy/local/with-test-servers`; `make bench-realtime` runs it there.

mod client;
#[path = "../bench-ingest/cpu.rs"]
#[expect(dead_code, reason = "shared with bench-ingest, which measures more")]
mod cpu;
mod latency;
mod publisher;
mod report;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use test_support::{Stack, eventually, eventually_within};

use client::Crowd;
use cpu::{Measured, Meter};
use report::{Gateway, Report};

/// Thousands of clients that must get every change, once.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value_t = 5_000)]
    clients: usize,
    /// Messages a second that change sessions.
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Sessions of one message.
    #[arg(long, default_value_t = 1)]
    sessions: usize,
    /// How long changes are published.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// One JSON object in place of the table.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // What is published here is in no database: it must not be compared with one.
    let stack = Stack::builder()
        .realtime(1)
        .with("realtime-gateway", "REALTIME_VERIFY_SECONDS", "3600")
        .with("realtime-gateway", "HTTP_WORKERS", "2")
        .with("*", "LOG_LEVEL", "warn");
    let stack = given().into_iter().fold(stack, |stack, (name, value)| {
        stack.with("realtime-gateway", &name, &value)
    });
    let stack = stack.start().await;
    compared(&stack).await;
    let report = measure(&stack, &arguments).await?;
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer(&mut out, &report)?;
    } else {
        write!(out, "{report}")?;
    }
    writeln!(out)?;
    anyhow::ensure!(report.is_good(), "not every client got every change once");
    Ok(())
}

/// Settings of the gateway given to this program are handed on, so that they can be tried.
fn given() -> Vec<(String, String)> {
    std::env::vars()
        .filter(|(name, _)| name.starts_with("REALTIME_"))
        .collect()
}

/// Waits for the one comparison with the database that follows the start.
async fn compared(stack: &Stack) {
    let metrics = format!("{}/metrics", stack.realtime(0).url());
    eventually("the first comparison", async || {
        let text = reqwest::get(&metrics).await.ok()?.text().await.ok()?;
        text.contains("realtime_comparisons_total").then_some(())
    })
    .await;
}

async fn measure(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Report> {
    let gateway = stack.realtime(0);
    let pid = gateway.id().context("the gateway has ended")?;
    let before = report::memory(pid)?;
    let publisher = publisher::Publisher::connect(stack, arguments).await?;
    let started = Instant::now();
    let crowd = Arc::new(Crowd::new(publisher.first(), publisher.messages()));
    client::connect(&crowd, gateway.address(), &stack.api().token().await, arguments.clients).await?;
    let connecting = started.elapsed();
    let idle = report::memory(pid)?;
    let meter = Meter(vec![
        ("gateway", Measured::Process(pid)),
        ("bench", Measured::Process(std::process::id())),
    ]);
    let (cpu, started) = (meter.read()?, Instant::now());
    publisher.publish(&crowd).await?;
    let wanted = publisher.messages() * arguments.clients as u64;
    eventually_within(
        Duration::from_secs(120),
        "every client to have every change",
        async || (crowd.received() >= wanted || crowd.lost_clients() > 0).then_some(()),
    )
    .await;
    if let Some(why) = crowd.first_loss() {
        writeln!(io::stderr(), "a client was lost: {why}")?;
    }
    let elapsed = started.elapsed();
    let used: Vec<f64> = meter
        .read()?
        .iter()
        .zip(&cpu)
        .map(|(after, before)| after.1 - before.1)
        .collect();
    Ok(Report::new(
        arguments,
        &crowd,
        wanted,
        &Gateway {
            connecting,
            elapsed,
            cpu_seconds: used[0],
            bench_cpu_seconds: used[1],
            memory_before: before.now,
            memory_idle: idle.now,
            memory_peak: report::memory(pid)?.peak,
        },
    ))
}
