//! What can fail while a request is answered, and what the caller sees of it.

use access_token::SignerError;
use actix_web::http::StatusCode;
use service_kit::Problem;
use totp_rs::TotpError;

use crate::hashing::HashError;
use crate::random::NoRandomness;
use crate::totp::SecretsKeyError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Sign(#[from] SignerError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error(transparent)]
    Secrets(#[from] SecretsKeyError),
    #[error("a TOTP secret cannot be used")]
    Totp(#[from] TotpError),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Database(error) if error.is_unavailable() || matches!(error, db::Error::Conflict(_)) => {
                Self::unavailable("The database does not answer; try again soon.", error)
            }
            Failure::Hash(HashError::Busy) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_logins",
                "Too many people log in at once; try again soon.",
            )
            .retry_after(1),
            other => Self::internal(other),
        }
    }
}

/// 404: there is no such thing.
pub(crate) fn not_found(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
}

/// 409: what is there does not allow it.
pub(crate) fn conflict(error: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, error, detail)
}

/// 400: a parameter whose value is not what it must be.
pub(crate) fn invalid_parameter(parameter: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail).with("parameter", parameter)
}
