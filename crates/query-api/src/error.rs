//! What can fail while a request is answered, and what the caller sees of it.

use actix_web::http::StatusCode;
use db::sessions::ListError;
use service_kit::Problem;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error("more sessions match than can be sorted")]
    TooManyToSort,
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::TooManyToSort => Self::TooManyToSort,
            ListError::Database(error) => Self::Database(error),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TooManyToSort => invalid_parameter(
                "sort",
                "More than 10,000 sessions match: narrow the filter, or sort by `connected_at`.",
            ),
            // A replica may cancel a query that stands in the way of what it must replay.
            Failure::Database(error) if error.is_unavailable() || matches!(error, db::Error::Conflict(_)) => {
                Self::unavailable("The database does not answer; try again soon.", error)
            }
            Failure::Database(error @ db::Error::TimedOut(_)) => {
                let detail = "The query took too long; narrow the filter.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "query_timeout", detail)
                    .retry_after(1)
                    .caused_by(error)
            }
            Failure::Database(error) => Self::internal(error),
        }
    }
}

/// 400: a parameter whose value is not what it must be.
pub(crate) fn invalid_parameter(parameter: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail).with("parameter", parameter)
}

/// 404: there is no such thing.
pub(crate) fn not_found(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
}
