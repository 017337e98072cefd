//! What agents are told.

use actix_web::http::StatusCode;
use domain::wire::{Rejection, WireError};
use serde::Serialize;
use service_kit::Problem;
use utoipa::ToSchema;

use crate::State;
use crate::batcher::StoreError;

/// The events are processed; the counts are the processor's own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsProcessed {
    #[schema(example = "ok")]
    pub(crate) status: &'static str,
    pub(crate) events_received: usize,
    pub(crate) events_accepted: usize,
    pub(crate) sessions_created: u64,
    pub(crate) sessions_updated: u64,
    /// Events that were known already.
    pub(crate) duplicates: u64,
    pub(crate) errors: Vec<EventProblem>,
}

/// The events are stored and will be processed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsAccepted {
    #[schema(example = "accepted")]
    pub(crate) status: &'static str,
    pub(crate) events_received: usize,
    pub(crate) events_accepted: usize,
    pub(crate) errors: Vec<EventProblem>,
}

/// An event that is not accepted: sending it again is of no use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventProblem {
    /// Its position in `events`, from 0.
    pub(crate) index: usize,
    /// As the agent wrote it; null when it has none.
    pub(crate) event_id: Option<String>,
    #[schema(example = "invalid_real_ip")]
    pub(crate) error: String,
    pub(crate) detail: String,
}

/// `ok`: processed. `accepted`: stored and will be processed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InventoryAnswer {
    #[schema(example = "ok")]
    pub(crate) status: &'static str,
}

/// `ok`: processed. `accepted`: stored and will be processed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeartbeatAnswer {
    #[schema(example = "ok")]
    pub(crate) status: &'static str,
}

impl From<Rejection> for EventProblem {
    fn from(rejection: Rejection) -> Self {
        Self {
            index: rejection.index,
            event_id: rejection.event_id,
            error: rejection.error.as_str().to_owned(),
            detail: rejection.detail,
        }
    }
}

/// 422: nothing of the request is kept but dead letters.
pub(crate) fn nothing_acceptable(received: usize, errors: &[EventProblem]) -> Problem {
    let detail = "No event of the request is acceptable; errors says why.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no_acceptable_event", detail)
        .with("events_received", received)
        .with("events_accepted", 0)
        .with("errors", serde_json::to_value(errors).unwrap_or_default())
}

/// 413 for too many events or entries, else 400.
pub(crate) fn bad_body(error: &WireError) -> Problem {
    let status = match error {
        WireError::TooManyEvents { .. } | WireError::TooManyEntries { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, error.as_str(), error.to_string())
}

impl State {
    /// 503: the same request may succeed later.
    pub(crate) fn not_stored(&self, error: StoreError) -> Problem {
        let (code, detail) = match error {
            StoreError::Unavailable => ("bus_unavailable", "The events cannot be stored at the moment."),
            StoreError::Full => (
                "bus_full",
                "There is no room for more events until earlier ones are processed.",
            ),
            StoreError::QueueFull => return self.overloaded("Too many requests wait to be stored."),
        };
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(self.retry_after())
    }

    pub(crate) fn overloaded(&self, detail: &str) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(self.retry_after())
    }
}
