//! Errors as the caller sees them: RFC 9457 `application/problem+json`.

mod convert;

use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::edge;
use crate::request_id::{self, RequestId};

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error answer. What the caller sees is status, code, detail and members; what the operator sees is the cause,
/// which is logged once when the problem is answered and never sent.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    error: &'static str,
    detail: String,
    members: Map<String, Value>,
    headers: HeaderMap,
    cause: Option<Arc<anyhow::Error>>,
    request_id: Option<RequestId>,
}

/// A problem's body, for OpenAPI documents.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`: `error` tells problems apart.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: &'static str,
    /// The status in words.
    #[schema(example = "Bad Request")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    pub status: u16,
    /// What is wrong, for people.
    pub detail: String,
    /// What is wrong, for programs: a stable code.
    #[schema(example = "invalid_json")]
    pub error: &'static str,
    /// The request's id, as in the `x-request-id` header and the logs.
    pub request_id: String,
    /// Members of this kind of problem alone.
    #[serde(flatten)]
    #[schema(ignore)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// A problem with its stable code and a detail that people can read.
    pub fn new(status: StatusCode, error: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            status,
            error,
            detail: detail.into(),
            members: Map::new(),
            headers: HeaderMap::new(),
            cause: None,
            request_id: None,
        }))
    }

    /// 500 `internal_error`: the caller learns nothing, the operator the cause.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let detail = "Something went wrong on our side; the request id finds it in the logs.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail).caused_by(cause)
    }

    /// 503 `unavailable` with `Retry-After: 1`: something that the service needs does not answer.
    pub fn unavailable(detail: impl Into<String>, cause: impl Into<anyhow::Error>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .retry_after(1)
            .caused_by(cause)
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Asks the caller to come back after this many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Keeps, for the log, what brought it about.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.0.cause = Some(Arc::new(cause.into()));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn error(&self) -> &'static str {
        self.0.error
    }

    /// A member of the body that [`Self::with`] added.
    pub fn member(&self, key: &str) -> Option<&Value> {
        self.0.members.get(key)
    }

    /// The detail that the caller reads.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(crate) fn cause(&self) -> Option<&anyhow::Error> {
        self.0.cause.as_deref()
    }

    /// Fixes the request's id, for an answer that is rendered outside of its request's task.
    pub(crate) fn for_request(mut self, id: RequestId) -> Self {
        self.0.request_id = Some(id);
        self
    }

    fn request_id(&self) -> Option<RequestId> {
        self.0.request_id.clone().or_else(RequestId::current)
    }

    fn body(&self, id: Option<&RequestId>) -> ProblemBody {
        ProblemBody {
            kind: "about:blank",
            title: self.0.status.canonical_reason().unwrap_or("Unknown"),
            status: self.0.status.as_u16(),
            detail: self.0.detail.clone(),
            error: self.0.error,
            request_id: id.map(ToString::to_string).unwrap_or_default(),
            members: self.0.members.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.0.error, self.0.detail)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause()
            .map(|cause| -> &(dyn std::error::Error + 'static) { cause.as_ref() })
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let id = self.request_id();
        let mut response = HttpResponseBuilder::new(self.0.status);
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        if let Some(id) = &id {
            response.insert_header((request_id::HEADER, id.header_value()));
        }
        response.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
        let mut response = response.json(self.body(id.as_ref()));
        // Rendered outside of everything that surrounds a request, when a middleware refused it.
        edge::harden("", response.headers_mut());
        response
    }
}
