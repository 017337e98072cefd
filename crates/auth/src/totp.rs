//! The second factor: time-based codes from an app, and recovery codes.

mod code;
pub(crate) mod enrolment;
mod login;
mod qr;
mod recovery_codes;
mod secrets_key;

pub(crate) use login::verify_at_login;
pub(crate) use secrets_key::{SecretsKey, SecretsKeyError};
