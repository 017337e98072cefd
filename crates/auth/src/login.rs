//! `POST /api/auth/login`. The answer does not tell, by its bytes or by its time, whether the user is unknown, the
//! password is wrong, the account is inactive or locked for this source.

use actix_web::http::StatusCode;
use actix_web::http::header::ORIGIN;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use audit_actor::Origin;
use db::login_attempts::{self, Credentials, Judgement, LoginAttempt, SecondFactor};
use db::portal_sessions::{self, NewPortalSession};
use db::portal_users::{self, PortalUser};
use ring::rand::SystemRandom;
use serde::Deserialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use crate::answers::BodyRefused;
use crate::error::Failure;
use crate::issued::{self, Carrier, Issued};
use crate::password::Password;
use crate::refresh_token::RefreshToken;
use crate::secret_text::SecretText;
use crate::{State, refresh_cookie, totp, username};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// In any case.
    username: String,
    password: Password,
    /// A code of the second factor, or a recovery code, for users who have one.
    #[serde(default)]
    otp: Option<SecretText>,
    /// The browser shall keep the cookie when it is closed.
    #[serde(default)]
    remember_me: bool,
    /// The refresh token goes into the cookie `__Host-refresh` instead of the body.
    #[serde(default)]
    cookie: bool,
}

/// Log in with username and password, and a second factor for those who have one.
#[utoipa::path(
    operation_id = "login",
    tag = "auth",
    responses(
        (status = 200, description = "The tokens of a new portal session", body = Issued),
        (status = 401, description = "`invalid_credentials`: unknown user, wrong password, inactive or locked account; `otp_required`: the password is right and `otp` is missing; `invalid_otp`: the password is right, the code is not", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`origin_not_allowed`: the cookie was asked for by a page that is not the portal's", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many logins and refreshes from this source; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Too many logins at once, or the database is away; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
    )
)]
#[post("/api/auth/login")]
pub(crate) async fn login(
    state: Data<State>,
    origin: Origin,
    http: HttpRequest,
    request: Json<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    state.sources.take(&origin.source())?;
    let request = request.into_inner();
    if request.password.is_too_long() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "password_too_long",
            "A password has at most 1024 characters.",
        ));
    }
    // Nobody shall be logged in here by another site's page.
    if request.cookie && http.headers().contains_key(ORIGIN) {
        refresh_cookie::require_own_origin(&http, &state.sessions)?;
    }
    let answer = log_in(&state, &origin, request).await;
    count(&answer);
    answer
}

/// A sudden rise of refused logins is somebody guessing.
fn count(answer: &Result<HttpResponse, Problem>) {
    let outcome = match answer {
        Ok(_) => "accepted",
        Err(problem) if problem.error() == "otp_required" => "otp_required",
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => "refused",
        Err(_) => "failed",
    };
    metrics::counter!("auth_logins_total", "outcome" => outcome).increment(1);
}

async fn log_in(state: &State, origin: &Origin, request: LoginRequest) -> Result<HttpResponse, Problem> {
    let LoginRequest {
        username,
        password,
        otp,
        remember_me,
        cookie,
    } = request;
    let (user, credentials) = authenticate(state, &username, password).await?;
    let attempt = attempt(username, user.as_ref(), origin);
    let attempt_id = judge(state, origin, &attempt, credentials).await?;
    let user = user.ok_or_else(invalid_credentials)?;
    if user.totp_enabled {
        check_second_factor(state, origin, &user, otp, attempt_id, attempt).await?;
    }
    let carrier = if cookie { Carrier::Cookie } else { Carrier::Body };
    let begun = begin_session(state, origin, user, attempt_id, remember_me, carrier).await?;
    begun.ok_or_else(invalid_credentials)
}

/// Every path costs one look-up and one hash.
async fn authenticate(
    state: &State,
    username: &str,
    password: Password,
) -> Result<(Option<PortalUser>, Credentials), Failure> {
    let user = find_user(state, username).await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let matches = state.hasher.verify(password, stored).await?;
    let credentials = match &user {
        None => Credentials::UnknownUser,
        Some(_) if !matches => Credentials::WrongPassword,
        Some(user) if !user.is_active => Credentials::Inactive,
        Some(user) => Credentials::Right {
            second_factor: user.totp_enabled,
        },
    };
    Ok((user, credentials))
}

/// A name that cannot be a username is nobody's, and may hold what PostgreSQL refuses.
async fn find_user(state: &State, username: &str) -> Result<Option<PortalUser>, db::Error> {
    if username::is_valid(username) {
        portal_users::find_by_username(&state.db, username).await
    } else {
        Ok(None)
    }
}

/// What was typed is kept only where it can be a username: people type passwords into the wrong field.
fn attempt(username: String, user: Option<&PortalUser>, origin: &Origin) -> LoginAttempt {
    LoginAttempt {
        at: clock::now(),
        username: username::is_valid(&username).then_some(username),
        portal_user_id: user.map(|user| user.id),
        ip_address: Some(origin.ip_address()),
        user_agent: origin.user_agent(),
    }
}

async fn judge(
    state: &State,
    origin: &Origin,
    attempt: &LoginAttempt,
    credentials: Credentials,
) -> Result<i64, Problem> {
    let name = attempt.username.as_deref().unwrap_or("unknown");
    let actor = origin.actor(None, name);
    let judged = login_attempts::judge(&state.db, attempt.clone(), credentials, state.lockout, actor).await;
    match judged.map_err(Failure::from)? {
        Judgement::Passed { attempt_id } => Ok(attempt_id),
        Judgement::Refused => Err(invalid_credentials()),
    }
}

async fn check_second_factor(
    state: &State,
    origin: &Origin,
    user: &PortalUser,
    otp: Option<SecretText>,
    attempt_id: i64,
    attempt: LoginAttempt,
) -> Result<(), Problem> {
    let failed = match otp {
        None => SecondFactor::Missing,
        Some(otp) => {
            let actor = origin.actor(Some(user.id), &user.username);
            if totp::verify_at_login(state, user.id, otp.reveal(), attempt.at, actor).await? {
                return Ok(());
            }
            SecondFactor::Wrong
        }
    };
    let actor = origin.actor(None, &user.username);
    login_attempts::second_factor_failed(&state.db, attempt_id, attempt, failed, state.lockout, actor)
        .await
        .map_err(Failure::from)?;
    let (error, detail) = match failed {
        SecondFactor::Missing => ("otp_required", "A code of the second factor is needed."),
        SecondFactor::Wrong => ("invalid_otp", "The code is wrong, too old or was used before."),
    };
    Err(Problem::new(StatusCode::UNAUTHORIZED, error, detail))
}

/// `None` when the user has been changed meanwhile in a way that this login should not survive.
async fn begin_session(
    state: &State,
    origin: &Origin,
    user: PortalUser,
    attempt_id: i64,
    remember_me: bool,
    carrier: Carrier,
) -> Result<Option<HttpResponse>, Failure> {
    let now = clock::now();
    let refresh = RefreshToken::generate(&SystemRandom::new())?;
    let new = NewPortalSession {
        id: clock::new_id(),
        portal_user_id: user.id,
        token_sha256: refresh.sha256,
        at: now,
        expires_at: now + state.sessions.refresh_life(),
        remember_me,
        ip_address: Some(origin.ip_address()),
        user_agent: origin.user_agent(),
    };
    let actor = origin.actor(Some(user.id), &user.username);
    match portal_sessions::open(&state.db, new, user.password_hash, attempt_id, actor).await? {
        Some(session) => issued::issue(state, session, refresh, carrier, now).await,
        None => Ok(None),
    }
}

fn invalid_credentials() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "invalid_credentials",
        "Username or password is wrong.",
    )
}
