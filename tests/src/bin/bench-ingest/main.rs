//! `bench-ingest`: how many events a second get from an agent into the database, beside what PostgreSQL alone can take and
//! beside one commit per event. Needs the servers of `deploy/local/with-test-servers`; `make bench-ingest` runs it there.

mod bulk;
mod cpu;
mod database;
mod history;
mod load;
mod phase;
mod report;
mod services;
mod specification;

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

use database::Database;
use phase::Answer;
use report::{Report, heading, line};
use services::Fleet;

/// Events per second from agent to database.
#[derive(Debug, Parser)]
struct Arguments {
    /// Events a request.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 500])]
    batch_sizes: Vec<usize>,
    /// Connections; each speaks for a VPN server of its own.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Multiplies the number of events that are sent.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Leaves out the requests that wait for the processor's counts.
    #[arg(long)]
    only_async: bool,
    /// Leaves out the bulk client and the specification's way.
    #[arg(long)]
    no_comparison: bool,
    /// One JSON object in place of the table.
    #[arg(long)]
    json: bool,
}

/// Where the servers and everything that is written is.
fn directory() -> anyhow::Result<PathBuf> {
    let directory = std::env::var_os("OVT_TEST_DIR").context("run this through deploy/local/bench-ingest")?;
    Ok(directory.into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let directory = directory()?;
    let fleet = Fleet::register(&directory, arguments.connections).await?;
    let mut report = Report::default();
    tell(&arguments, &heading())?;
    let mut history = None;
    for batch_size in &arguments.batch_sizes {
        for answer in answers(&arguments) {
            let events = (events_of(*batch_size) as f64 * arguments.scale) as u64;
            let (row, database) = phase::run(&fleet, *batch_size, answer, events).await?;
            tell(&arguments, &line(&row))?;
            report.rows.push(row);
            if answer == Answer::Accepted {
                history = Some(database);
            }
        }
    }
    let history = history.context("there is no batch size to measure")?;
    if !arguments.no_comparison {
        compare(&mut report, &fleet, &history)?;
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer(&mut out, &report)?;
    } else {
        write!(out, "{}", report.conclusion())?;
    }
    Ok(writeln!(out)?)
}

fn answers(arguments: &Arguments) -> impl Iterator<Item = Answer> {
    let all = [Answer::Accepted, Answer::Processed];
    all.into_iter().take(if arguments.only_async { 1 } else { 2 })
}

/// Enough to run for about ten seconds.
fn events_of(batch_size: usize) -> u64 {
    match batch_size {
        ..10 => 80_000,
        10..100 => 120_000,
        _ => 200_000,
    }
}

/// The same history, written by a bulk client and in the specification's way.
fn compare(report: &mut Report, fleet: &Fleet, history: &Database) -> anyhow::Result<()> {
    history::prepare(history)?;
    report.bulk_per_second = Some(bulk::measure(fleet, history)?);
    report.specification_per_second = Some(specification::measure(fleet, history)?);
    report.judge();
    Ok(())
}

fn tell(arguments: &Arguments, text: &str) -> io::Result<()> {
    if arguments.json {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
