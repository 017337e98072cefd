//! What can fail while a request is answered, and what the caller sees of it.

use access_token::SignerError;
use actix_web::http::StatusCode;
use service_kit::Problem;

use crate::hashing::HashError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Sign(#[from] SignerError),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Database(error) if error.is_unavailable() => {
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
