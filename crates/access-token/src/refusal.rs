//! Why a caller is turned away.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use domain::required_action::RequiredAction;
use domain::role::Role;
use service_kit::Problem;
use thiserror::Error;

const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer");
const CHALLENGE_INVALID: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");
const CHALLENGE_SCOPE: HeaderValue = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");

/// Why a request for a guarded route is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No bearer token came with it.
    #[error("there is no bearer token")]
    Missing,
    /// The token is not one of ours, or not for us.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// The token was good once.
    #[error("the token has expired")]
    Expired,
    /// The token was taken back.
    #[error("the token is revoked")]
    Revoked,
    /// Whether the token was taken back cannot be found out.
    #[error("whether the token is revoked cannot be found out: {0}")]
    DenylistUnavailable(String),
    /// The caller's roles do not count yet.
    #[error("something must be done first: {}", .0.as_str())]
    ActionRequired(RequiredAction),
    /// The token is good, its roles are not enough.
    #[error("none of the caller's roles may do this")]
    Forbidden(&'static [Role]),
    /// The keys that verify tokens cannot be had.
    #[error("the keys that verify tokens are not available: {0}")]
    KeysUnavailable(String),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Missing => unauthorized("missing_token", "This needs a bearer token.", CHALLENGE),
            Refusal::Invalid(_) => unauthorized("invalid_token", &detail, CHALLENGE_INVALID),
            Refusal::Expired => unauthorized("expired_token", &detail, CHALLENGE_INVALID),
            Refusal::Revoked => unauthorized("revoked_token", "The token is no longer valid.", CHALLENGE_INVALID),
            Refusal::DenylistUnavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "denylist_unavailable",
                "Whether the token is still valid cannot be found out at the moment.",
            )
            .retry_after(1)
            .caused_by(anyhow::anyhow!(detail)),
            Refusal::ActionRequired(action) => Self::new(StatusCode::FORBIDDEN, "action_required", detail)
                .header(WWW_AUTHENTICATE, CHALLENGE_SCOPE)
                .with("required_action", action.as_str()),
            Refusal::Forbidden(roles) => Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
                .header(WWW_AUTHENTICATE, CHALLENGE_SCOPE)
                .with(
                    "required_roles",
                    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
                ),
            Refusal::KeysUnavailable(_) => {
                Self::unavailable("Tokens cannot be verified at the moment.", anyhow::anyhow!(detail))
            }
        }
    }
}

fn unauthorized(error: &'static str, detail: &str, challenge: HeaderValue) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, error, detail).header(WWW_AUTHENTICATE, challenge)
}
