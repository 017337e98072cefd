//! W3C trace context: in from HTTP headers, out to whatever is called or published.

use std::collections::HashMap;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::RootSpanBuilder;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::request_id::RequestId;

const TRACEPARENT: &str = "traceparent";

/// The current span as a `traceparent` header's value; `None` outside of any span.
pub fn current_traceparent() -> Option<String> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut headers);
    headers.remove(TRACEPARENT)
}

/// Makes the span a child of the one that a `traceparent` names; one that cannot be read is ignored. Call it before the
/// span is entered.
pub fn set_parent(span: &Span, traceparent: &str) {
    adopt(span, &HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]));
}

fn adopt(span: &Span, headers: &dyn Extractor) {
    // Fails only where no traces are made.
    let _ = span.set_parent(TraceContextPropagator::new().extract(headers));
}

/// The span around every request.
pub(crate) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        if matches!(request.path(), "/healthz" | "/readyz" | "/metrics") {
            return Span::none();
        }
        let method = request.method().as_str();
        let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
        let span = tracing::info_span!(
            "request",
            otel.name = format!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
            request_id = RequestId::current().as_ref().map(RequestId::as_str),
        );
        if request.headers().contains_key(TRACEPARENT) {
            adopt(&span, &Headers(request.headers()));
        }
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
}

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
