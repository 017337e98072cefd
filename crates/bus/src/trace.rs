use async_nats::HeaderMap;
use opentelemetry::trace::TraceContextExt;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// NATS header names are case-sensitive; W3C's is lower case.
const TRACEPARENT: &str = "traceparent";

/// Headers with the trace context of the current span, if it has one.
pub(crate) fn current_headers() -> Option<HeaderMap> {
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return None;
    }
    let mut headers = HeaderMap::new();
    let value = format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags().to_u8()
    );
    headers.insert(TRACEPARENT, value.as_str());
    Some(headers)
}

pub(crate) fn traceparent(headers: Option<&HeaderMap>) -> Option<&str> {
    headers?.get(TRACEPARENT).map(|value| value.as_str())
}
