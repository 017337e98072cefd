//! The answer to a login and to a refresh: tokens.

use actix_web::HttpResponse;
use db::portal_sessions::PortalSession;
use db::portal_users::{self, Standing};
use domain::required_action::RequiredAction;
use serde::Serialize;
use service_kit::clock;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;
use crate::error::Failure;
use crate::refresh_cookie;
use crate::refresh_token::RefreshToken;

/// Tokens of a portal session.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(crate) struct Issued {
    /// A JWT (EdDSA) for the `Authorization` header.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Life of the access token, seconds.
    expires_in: u32,
    /// For `POST /api/auth/refresh`, once. Not there when it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// What must be done before the roles count: `change_password` or `enrol_totp`. Until then the access token opens the
    /// user's own profile only.
    #[schema(value_type = Option<String>, example = json!(null))]
    required_action: Option<RequiredAction>,
}

/// A new access token of a portal session whose refresh token stays as it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccessTokenResponse {
    /// A JWT (EdDSA) for the `Authorization` header.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Life of the access token, seconds.
    expires_in: u32,
    /// What must be done before the roles count: `change_password` or `enrol_totp`.
    #[schema(value_type = Option<String>, example = json!(null))]
    required_action: Option<RequiredAction>,
}

impl AccessTokenResponse {
    /// A token for this session of the user who stands so, with a token version of a moment when the session lived.
    pub(crate) fn issue(
        state: &State,
        standing: &Standing,
        session_id: Uuid,
        token_version: i32,
    ) -> Result<Self, Failure> {
        Ok(Self {
            access_token: state.tokens.issue(standing, session_id, token_version, clock::now())?,
            token_type: "Bearer",
            expires_in: state.tokens.seconds(),
            required_action: standing.required_action,
        })
    }
}

/// Where the refresh token goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    Body,
    Cookie,
}

/// The tokens of a session from `now` on; `None` when its user is gone.
pub(crate) async fn issue(
    state: &State,
    session: PortalSession,
    refresh: RefreshToken,
    carrier: Carrier,
    now: OffsetDateTime,
) -> Result<Option<HttpResponse>, Failure> {
    let standing = portal_users::standing(&state.db, session.portal_user_id).await?;
    let Some(standing) = standing.filter(|standing| standing.user.is_active) else {
        return Ok(None);
    };
    let mut issued = Issued {
        access_token: state.tokens.issue(&standing, session.id, session.token_version, now)?,
        token_type: "Bearer",
        expires_in: state.tokens.seconds(),
        refresh_token: None,
        required_action: standing.required_action,
    };
    let mut answer = HttpResponse::Ok();
    match carrier {
        Carrier::Body => issued.refresh_token = Some(refresh.text),
        Carrier::Cookie => {
            let until = session.remember_me.then_some(session.expires_at);
            answer.cookie(refresh_cookie::with(refresh.text, now, until));
        }
    }
    Ok(Some(answer.json(issued)))
}
