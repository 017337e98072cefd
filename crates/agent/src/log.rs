//! The agent's log, on standard error: for journald as priority and sentence, else with the time. The latest complaints are kept
//! for `agent status`.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, layer};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock;

/// Complaints that are kept.
const KEPT: usize = 20;
/// Characters of one.
const LENGTH: usize = 500;

/// A warning or an error of this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub text: String,
}

/// The latest complaints, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Complaints(Arc<Mutex<VecDeque<Complaint>>>);

impl Complaints {
    pub fn list(&self) -> Vec<Complaint> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }
}

/// Begins to log. `for_journal`: standard error is the journal, which knows the time itself.
pub fn begin(for_journal: bool) -> Complaints {
    let complaints = Complaints::default();
    let lines = layer().with_ansi(false).with_writer(std::io::stderr);
    let lines = match for_journal {
        true => lines.event_format(JournalLine).boxed(),
        false => lines.boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(LevelFilter::INFO))
        .with(complaints.clone().with_filter(LevelFilter::WARN))
        .init();
    complaints
}

/// `<4>sentence field=value`: the priority as syslog counts it.
struct JournalLine;

impl<S: Subscriber + for<'a> LookupSpan<'a>, F: for<'a> FormatFields<'a> + 'static> FormatEvent<S, F> for JournalLine {
    fn format_event(&self, context: &FmtContext<'_, S, F>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        write!(to, "<{priority}>")?;
        context.field_format().format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}

impl<S: Subscriber> Layer<S> for Complaints {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut sentence = Sentence::default();
        event.record(&mut sentence);
        let text = format!("{}{}", sentence.message, sentence.fields);
        let complaint = Complaint {
            at: clock::now(),
            text: text.chars().take(LENGTH).collect(),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(complaint);
    }
}

#[derive(Default)]
struct Sentence {
    message: String,
    fields: String,
}

impl Visit for Sentence {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}
