//! `POST /api/auth/login`. The answer does not tell, by its bytes or by its time, whether the user is unknown, the
//! password is wrong or the account is inactive.

use actix_web::http::StatusCode;
use actix_web::post;
use actix_web::web::{Data, Json};
use db::audit::{self, Action, Entry};
use db::portal_users::{self, PortalUser};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::{Problem, ProblemBody, clock};
use utoipa::ToSchema;

use crate::State;
use crate::error::Failure;
use crate::origin::Origin;
use crate::password::Password;
use crate::username;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// In any case.
    username: String,
    password: Password,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginResponse {
    /// A JWT (EdDSA) for the `Authorization` header.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    expires_in: u32,
}

/// Log in with username and password.
#[utoipa::path(
    operation_id = "login",
    tag = "auth",
    responses(
        (status = 200, description = "An access token", body = LoginResponse),
        (status = 400, description = "Not the expected JSON, or the password is over 1024 characters", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_credentials`: unknown user, wrong password or inactive account", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not declared as JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Too many logins at once, or the database is away; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[post("/api/auth/login")]
pub(crate) async fn login(
    state: Data<State>,
    origin: Origin,
    request: Json<LoginRequest>,
) -> Result<Json<LoginResponse>, Problem> {
    let LoginRequest { username, password } = request.into_inner();
    if password.is_too_long() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "password_too_long",
            "A password has at most 1024 characters.",
        ));
    }
    match authenticate(&state, &username, password).await? {
        Ok(user) => {
            count("accepted");
            Ok(Json(welcome(&state, &user, &origin).await?))
        }
        Err(refusal) => {
            count("refused");
            record_refusal(&state, &username, &refusal, &origin).await?;
            Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "invalid_credentials",
                "Username or password is wrong.",
            ))
        }
    }
}

/// A sudden rise of refused logins is somebody guessing.
fn count(outcome: &'static str) {
    metrics::counter!("auth_logins_total", "outcome" => outcome).increment(1);
}

/// Why a login was refused: for the audit log, never for the answer.
struct Refusal {
    reason: &'static str,
    portal_user_id: Option<i64>,
}

/// Every path costs one look-up and one hash.
async fn authenticate(
    state: &State,
    username: &str,
    password: Password,
) -> Result<Result<PortalUser, Refusal>, Failure> {
    let user = find_user(state, username).await?;
    let matches = state
        .hasher
        .verify(password, user.as_ref().map(|user| user.password_hash.clone()))
        .await?;
    let refused = |reason, id| {
        Ok(Err(Refusal {
            reason,
            portal_user_id: id,
        }))
    };
    match user {
        None => refused("unknown_user", None),
        Some(user) if !matches => refused("wrong_password", Some(user.id)),
        Some(user) if !user.is_active => refused("inactive", Some(user.id)),
        Some(user) => Ok(Ok(user)),
    }
}

/// A name that cannot be a username is nobody's, and may hold what PostgreSQL refuses.
async fn find_user(state: &State, username: &str) -> Result<Option<PortalUser>, db::Error> {
    if username::is_valid(username) {
        portal_users::find_by_username(&state.db, username).await
    } else {
        Ok(None)
    }
}

async fn welcome(state: &State, user: &PortalUser, origin: &Origin) -> Result<LoginResponse, Failure> {
    let now = clock::now();
    let roles = portal_users::roles_of(&state.db, user.id).await?;
    portal_users::record_login(&state.db, user.id, now, origin.actor(Some(user.id), &user.username)).await?;
    let access_token = state.tokens.issue(user, roles, now)?;
    Ok(LoginResponse {
        access_token,
        token_type: "Bearer",
        expires_in: state.tokens.seconds(),
    })
}

/// What was typed is kept only where it can be a username: people type passwords into the wrong field.
async fn record_refusal(state: &State, username: &str, refusal: &Refusal, origin: &Origin) -> Result<(), Failure> {
    let name = if username::is_valid(username) {
        username
    } else {
        "unknown"
    };
    let entry = Entry {
        action: Action::LoginFailed,
        object_type: "portal_user",
        object_id: refusal.portal_user_id.map(|id| id.to_string()),
        details: json!({"reason": refusal.reason}),
    };
    Ok(audit::record(&state.db, origin.actor(None, name), entry).await?)
}
