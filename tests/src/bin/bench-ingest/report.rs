//! What is printed.

use std::fmt::Write;

use serde::Serialize;

use crate::phase::{Answer, Row};

/// Aims at the largest batch size: a share of the bulk client's rate, and a multiple of the specification's.
const OF_BULK: f64 = 0.5;
const OF_SPECIFICATION: f64 = 60.0;
/// Aims at batch size 1: events a second, and the 99th percentile in milliseconds.
const SINGLE_PER_SECOND: f64 = 8_000.0;
const SINGLE_P99: f64 = 50.0;

const PROCESSES: [(&str, &str); 6] = [
    ("ingest", "ingest"),
    ("session-processor", "processor"),
    ("nats", "nats"),
    ("postgres", "postgres"),
    ("redis", "redis"),
    ("load", "load"),
];

/// Everything of one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) bulk_per_second: Option<f64>,
    pub(crate) specification_per_second: Option<f64>,
    verdicts: Vec<Verdict>,
}

pub(crate) fn heading() -> String {
    let mut text = format!(
        "{:>5} {:<9} {:>10} {:>11} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7}  CPU µs an event:",
        "batch", "answer", "accepted/s", "processed/s", "p50 ms", "p90", "p99", "max", "ev/mess", "ev/tx"
    );
    for (_, title) in PROCESSES {
        let _ = write!(text, " {title}");
    }
    text
}

pub(crate) fn line(row: &Row) -> String {
    let answer = match row.answer {
        Answer::Accepted => "accepted",
        Answer::Processed => "processed",
    };
    let latency = &row.latency_ms;
    let mut text = format!(
        "{:>5} {answer:<9} {:>10.0} {:>11.0} {:>6.1} {:>6.1} {:>6.1} {:>6.1} {:>7.0} {:>7.0}                  ",
        row.batch_size,
        row.accepted_per_second,
        row.processed_per_second,
        latency.p50,
        latency.p90,
        latency.p99,
        latency.max,
        row.events_a_message,
        row.events_a_transaction
    );
    for (name, title) in PROCESSES {
        let micros = row.cpu_micros.get(name).copied().unwrap_or_default();
        let _ = write!(text, " {micros:>width$.1}", width = title.len());
    }
    text
}

/// An aim, and how near this run came to it.
#[derive(Debug, Serialize)]
struct Verdict {
    reached: bool,
    what: String,
}

impl Report {
    /// With the bulk client's and the specification's rate known.
    pub(crate) fn judge(&mut self) {
        self.verdicts = [self.of_bulk(), self.of_specification(), self.single()]
            .into_iter()
            .flatten()
            .collect();
    }

    fn asynchronous(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.answer == Answer::Accepted)
    }

    fn of_bulk(&self) -> Option<Verdict> {
        let row = self.asynchronous().max_by_key(|row| row.batch_size)?;
        let share = row.processed_per_second / self.bulk_per_second?;
        Some(Verdict {
            reached: share >= OF_BULK,
            what: format!(
                "batch {}: {share:.2} of the bulk client (aim {OF_BULK})",
                row.batch_size
            ),
        })
    }

    fn of_specification(&self) -> Option<Verdict> {
        let row = self.asynchronous().max_by_key(|row| row.batch_size)?;
        let times = row.processed_per_second / self.specification_per_second?;
        Some(Verdict {
            reached: times >= OF_SPECIFICATION,
            what: format!(
                "batch {}: {times:.1} times the specification's way (aim {OF_SPECIFICATION})",
                row.batch_size
            ),
        })
    }

    fn single(&self) -> Option<Verdict> {
        let row = self.asynchronous().find(|row| row.batch_size == 1)?;
        let (rate, p99) = (
            row.accepted_per_second.min(row.processed_per_second),
            row.latency_ms.p99,
        );
        Some(Verdict {
            reached: rate >= SINGLE_PER_SECOND && p99 <= SINGLE_P99,
            what: format!(
                "batch 1: {rate:.0} events/s accepted and processed, p99 {p99:.1} ms (aim {SINGLE_PER_SECOND} with at most {SINGLE_P99} ms)"
            ),
        })
    }

    pub(crate) fn conclusion(&self) -> String {
        let mut text = String::new();
        let rates = [
            ("one bulk client, nothing else running", self.bulk_per_second),
            (
                "the specification's way, a commit an event",
                self.specification_per_second,
            ),
        ];
        for (what, rate) in rates {
            let _ = rate.map(|rate| write!(text, "\n{what:<43} {rate:>8.0} events/s"));
        }
        text.push('\n');
        for verdict in &self.verdicts {
            let _ = write!(
                text,
                "\n{}  {}",
                if verdict.reached { "PASS " } else { "SHORT" },
                verdict.what
            );
        }
        text
    }
}
