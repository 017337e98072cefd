//! `POST /api/profile/totp`, `…/confirm`, `…/disable`: from no second factor to one and back.

use access_token::Caller;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use audit_actor::Origin;
use db::totp::{self, Disabled, StoredTotp};
use garde::Validate;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use super::code::{self, Codes};
use super::{qr, recovery_codes};
use crate::State;
use crate::answers::{BodyRefused, FieldsRefused};
use crate::current_password::CurrentPassword;
use crate::error::{Failure, conflict};
use crate::fields::Fields;
use crate::password::Password;

/// What an authenticator app needs. It is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct TotpEnrolment {
    /// Base32, for those who type it.
    secret: String,
    #[schema(example = "otpauth://totp/OpenVPN%20Telemetry:jdoe?secret=…&issuer=OpenVPN%20Telemetry")]
    otpauth_uri: String,
    /// The URI as a QR code: an SVG image.
    qr_svg: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotpConfirmation {
    /// Six digits, as the app shows them now.
    #[garde(custom(six_digits))]
    #[schema(pattern = "^[0-9]{6}$", example = "123456")]
    code: String,
}

/// Each is good for one login without the app. They are shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    #[schema(min_items = 10, max_items = 10, example = json!(["k3v9-x2m4-q8wz-7fhr"]))]
    recovery_codes: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotpDisabling {
    /// The current one.
    password: Password,
}

/// Begin to enrol a second factor: a new secret, which is in force once it is confirmed.
#[utoipa::path(
    operation_id = "enrol_totp",
    tag = "profile",
    responses(
        (status = 200, description = "The secret, as text, URI and QR code", body = TotpEnrolment),
        (status = 409, description = "`totp_enabled`: a second factor is in force; disable it first", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[post("/api/profile/totp")]
pub(crate) async fn enrol_totp(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
) -> Result<Json<TotpEnrolment>, Problem> {
    let (id, random) = (caller.portal_user_id, SystemRandom::new());
    let secret = code::generate_secret(&random).map_err(Failure::from)?;
    let sealed = state.secrets.seal(id, &secret, &random).map_err(Failure::from)?;
    let enrolment = enrolment(&secret, &caller.username)?;
    let actor = origin.actor(Some(id), &caller.username);
    let started = totp::start_enrolment(&state.db, id, sealed, actor).await;
    match started.map_err(Failure::from)? {
        true => Ok(Json(enrolment)),
        false => Err(conflict(
            "totp_enabled",
            "A second factor is in force; disable it first.",
        )),
    }
}

/// Put the second factor in force, with a code that proves that the app has it.
#[utoipa::path(
    operation_id = "confirm_totp",
    tag = "profile",
    responses(
        (status = 200, description = "The recovery codes", body = RecoveryCodes),
        (status = 403, description = "`wrong_code`: not the code of now", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`totp_not_started`: nothing waits to be confirmed", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
        FieldsRefused,
    )
)]
#[post("/api/profile/totp/confirm")]
pub(crate) async fn confirm_totp(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    request: Json<TotpConfirmation>,
) -> Result<Json<RecoveryCodes>, Problem> {
    Fields::of(&*request).check()?;
    let (id, now) = (caller.portal_user_id, clock::now());
    let stored = totp::find(&state.db, id).await.map_err(Failure::from)?;
    let stored = stored.filter(|stored| !stored.confirmed).ok_or_else(not_started)?;
    let step = codes_of(&state, id, &stored)?
        .step_of(&request.code, now)
        .ok_or_else(wrong_code)?;
    let codes = recovery_codes::generate(&SystemRandom::new()).map_err(Failure::from)?;
    let hashes = codes.iter().filter_map(|code| recovery_codes::hash(code)).collect();
    let actor = origin.actor(Some(id), &caller.username);
    let confirmed = totp::confirm(&state.db, id, stored.sealed_secret, step, hashes, now, actor).await;
    match confirmed.map_err(Failure::from)? {
        true => Ok(Json(RecoveryCodes { recovery_codes: codes })),
        false => Err(not_started()),
    }
}

/// Give up the second factor. Where a role demands one, another must be enrolled before the roles count again.
#[utoipa::path(
    operation_id = "disable_totp",
    tag = "profile",
    responses(
        (status = 204, description = "There is no second factor any more"),
        (status = 403, description = "`wrong_password`: the password is another one", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`totp_not_enabled`: there is none", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
    )
)]
#[post("/api/profile/totp/disable")]
pub(crate) async fn disable_totp(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    request: Json<TotpDisabling>,
) -> Result<HttpResponse, Problem> {
    CurrentPassword::check(&state, &caller, &origin, request.into_inner().password).await?;
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let disabled = totp::disable(&state.db, caller.portal_user_id, clock::now(), actor).await;
    match disabled.map_err(Failure::from)? {
        Disabled::NotEnabled => Err(conflict("totp_not_enabled", "There is no second factor.")),
        Disabled::Done { tokens_below } => {
            if let Some(below) = tokens_below {
                state.deny_user(caller.portal_user_id, below).await;
            }
            Ok(HttpResponse::NoContent().finish())
        }
    }
}

fn enrolment(secret: &[u8], username: &str) -> Result<TotpEnrolment, Failure> {
    let codes = Codes::new(secret, username)?;
    let otpauth_uri = codes.uri()?;
    Ok(TotpEnrolment {
        secret: codes.secret_text(),
        qr_svg: qr::svg(&otpauth_uri).unwrap_or_default(),
        otpauth_uri,
    })
}

fn codes_of(state: &State, id: i64, stored: &StoredTotp) -> Result<Codes, Failure> {
    let secret = state.secrets.open(id, &stored.sealed_secret)?;
    Ok(Codes::new(&secret, &stored.username)?)
}

fn six_digits(text: &str, _: &()) -> garde::Result {
    match text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(()),
        false => Err(garde::Error::new("needs six digits")),
    }
}

fn wrong_code() -> Problem {
    let detail = "That is not the code of now; is the clock of the phone right?";
    Problem::new(StatusCode::FORBIDDEN, "wrong_code", detail)
}

fn not_started() -> Problem {
    conflict(
        "totp_not_started",
        "Nothing waits to be confirmed; begin to enrol first.",
    )
}
