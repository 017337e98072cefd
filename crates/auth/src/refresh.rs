//! `POST /api/auth/refresh`: the next tokens of a portal session, for its refresh token.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError, post};
use audit_actor::Origin;
use db::portal_sessions::{self, Rotation};
use domain::revocation::Revocation;
use ring::rand::SystemRandom;
use serde::Deserialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use crate::answers::BodyRefused;
use crate::error::Failure;
use crate::issued::{self, Carrier, Issued};
use crate::refresh_token::{self, RefreshToken};
use crate::secret_text::SecretText;
use crate::{State, refresh_cookie};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshTokenRequest {
    /// Left out, the one in the cookie `__Host-refresh` counts.
    #[serde(default)]
    pub(crate) refresh_token: Option<SecretText>,
}

/// Exchange a refresh token for new tokens. Each is good once; used again later than a few seconds after, it ends the portal
/// session, because somebody has a copy.
#[utoipa::path(
    operation_id = "refresh",
    tag = "auth",
    responses(
        (status = 200, description = "The next tokens, where the refresh token came from", body = Issued),
        (status = 401, description = "`invalid_refresh_token`: none was sent, or it is not good any more", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`origin_not_allowed`: the cookie was sent by a page that is not the portal's", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many logins and refreshes from this source; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
    )
)]
#[post("/api/auth/refresh")]
pub(crate) async fn refresh(
    state: Data<State>,
    origin: Origin,
    http: HttpRequest,
    request: Json<RefreshTokenRequest>,
) -> Result<HttpResponse, Problem> {
    state.sources.take(&origin.source())?;
    let Some((presented, carrier)) = presented(&http, &state, request.into_inner())? else {
        return Err(invalid());
    };
    let next = RefreshToken::generate(&SystemRandom::new()).map_err(Failure::from)?;
    match exchange(&state, &origin, presented, next, carrier).await? {
        Some(answer) => Ok(answer),
        None => Ok(refused(carrier)),
    }
}

async fn exchange(
    state: &State,
    origin: &Origin,
    presented: [u8; 32],
    next: RefreshToken,
    carrier: Carrier,
) -> Result<Option<HttpResponse>, Failure> {
    let now = clock::now();
    let grace = state.sessions.grace();
    let actor = origin.actor(None, "unknown");
    match portal_sessions::rotate(&state.db, presented, next.sha256, now, grace, actor).await? {
        Rotation::Rotated(session) => issued::issue(state, session, next, carrier, now).await,
        Rotation::Invalid => Ok(None),
        Rotation::Reused(session) => {
            tracing::warn!(portal_session = %session, "a refresh token was used twice: its portal session is ended");
            state.deny(Revocation::PortalSession(session)).await;
            Ok(None)
        }
    }
}

/// The SHA-256 of the refresh token of a request, and where it was; the body wins.
pub(crate) fn presented(
    http: &HttpRequest,
    state: &State,
    request: RefreshTokenRequest,
) -> Result<Option<([u8; 32], Carrier)>, Problem> {
    if let Some(token) = request.refresh_token {
        return Ok(Some((refresh_token::sha256(token.reveal()), Carrier::Body)));
    }
    let cookie = refresh_cookie::presented(http, &state.sessions)?;
    Ok(cookie.map(|token| (refresh_token::sha256(&token), Carrier::Cookie)))
}

/// The browser need not send a worthless cookie again.
fn refused(carrier: Carrier) -> HttpResponse {
    let mut answer = invalid().error_response();
    if carrier == Carrier::Cookie {
        let added = answer.add_cookie(&refresh_cookie::removal());
        added.expect("the cookie's text is a header's");
    }
    answer
}

fn invalid() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "invalid_refresh_token",
        "There is no portal session for this; log in again.",
    )
}
