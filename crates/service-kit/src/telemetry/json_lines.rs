//! Log lines as flat JSON objects: time, level, service, target, message, trace and span id, the event's fields, then
//! the fields of the spans around it, so that `request_id` stands in each line of its request.

use std::collections::BTreeSet;
use std::fmt;

use opentelemetry::trace::TraceContextExt;
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::{Map, Value};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock;

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The formatter; the spans' fields must be formatted by `JsonFields`.
pub(super) struct JsonLines {
    pub(super) service: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Vec::with_capacity(256);
        self.write(context, event, &mut line).map_err(|_| fmt::Error)?;
        writer.write_str(std::str::from_utf8(&line).map_err(|_| fmt::Error)?)?;
        writer.write_char('\n')
    }
}

impl JsonLines {
    fn write<S, N>(
        &self,
        context: &FmtContext<'_, S, N>,
        event: &Event<'_>,
        line: &mut Vec<u8>,
    ) -> serde_json::Result<()>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
        N: for<'writer> FormatFields<'writer> + 'static,
    {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut serializer = serde_json::Serializer::new(line);
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("timestamp", &clock::now().format(TIME).unwrap_or_default())?;
        object.serialize_entry("level", event.metadata().level().as_str())?;
        object.serialize_entry("service", self.service)?;
        object.serialize_entry("target", event.metadata().target())?;
        object.serialize_entry("message", &fields.message)?;
        write_trace(&mut object)?;
        let mut written = BTreeSet::from(
            [
                "timestamp",
                "level",
                "service",
                "target",
                "message",
                "trace_id",
                "span_id",
            ]
            .map(str::to_owned),
        );
        let around = context
            .event_scope()
            .into_iter()
            .flatten()
            .filter_map(|span| span_fields::<S, N>(&span));
        for (name, value) in std::iter::once(fields.others).chain(around).flatten() {
            if written.insert(name.clone()) {
                object.serialize_entry(&name, &value)?;
            }
        }
        object.end()
    }
}

fn write_trace(object: &mut impl SerializeMap<Error = serde_json::Error>) -> serde_json::Result<()> {
    let context = opentelemetry::Context::current();
    let span = context.span();
    let ids = span.span_context();
    if ids.is_valid() {
        object.serialize_entry("trace_id", &ids.trace_id().to_string())?;
        object.serialize_entry("span_id", &ids.span_id().to_string())?;
    }
    Ok(())
}

fn span_fields<S, N>(span: &tracing_subscriber::registry::SpanRef<'_, S>) -> Option<Map<String, Value>>
where
    S: for<'span> LookupSpan<'span>,
    N: 'static,
{
    let extensions = span.extensions();
    let formatted = extensions.get::<FormattedFields<N>>()?;
    let mut fields: Map<String, Value> = serde_json::from_str(formatted.fields.as_str()).ok()?;
    // They steer the exporter and repeat other fields.
    fields.retain(|name, _| !name.starts_with("otel."));
    Some(fields)
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.others.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            self.put(field, value.into());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}
