//! The settings of the service and of its commands; all of them, read here only.

use std::path::PathBuf;

use anyhow::Context;
use db::DatabaseConfig;
use garde::Validate;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::password::Password;

/// What serving needs.
#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct Config {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    /// Private key of the access tokens: Ed25519, PKCS#8 PEM. Created with mode 600 when it is missing.
    pub auth_signing_key_file: PathBuf,
    #[serde(flatten)]
    #[garde(dive)]
    pub tokens: TokenConfig,
    /// Passwords hashed at once, each for 19 MiB and about 25 ms of one core.
    #[serde(default = "default_hash_workers")]
    #[garde(range(min = 1, max = 64))]
    pub auth_hash_workers: usize,
    /// Logins that may wait for a hash; more are answered 503.
    #[serde(default = "default_hash_queue")]
    #[garde(range(max = 10_000))]
    pub auth_hash_queue: usize,
}

/// What access tokens say; every service that verifies them has the same issuer and audience.
#[derive(Debug, Clone, Deserialize, Validate)]
pub struct TokenConfig {
    /// Life of an access token, seconds.
    #[serde(default = "default_token_seconds")]
    #[garde(range(min = 60, max = 86_400))]
    pub access_token_seconds: u32,
    #[serde(default = "default_issuer")]
    #[garde(length(min = 1))]
    pub token_issuer: String,
    #[serde(default = "default_audience")]
    #[garde(length(min = 1))]
    pub token_audience: String,
}

/// What a command that only uses the database needs.
#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct CommandConfig {
    #[serde(flatten)]
    pub database: DatabaseConfig,
}

/// What `create-admin` needs.
#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct AdminConfig {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    #[serde(default = "default_admin_username")]
    pub admin_username: String,
    /// Generated and printed once when it is not set.
    #[serde(default)]
    pub admin_password: Option<Password>,
}

/// What `revoke-key` needs.
#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct RevokeConfig {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    #[serde(flatten)]
    pub bus: bus::BusConfig,
}

/// Reads the settings of a command.
///
/// # Errors
/// One sentence that names the variable.
pub(crate) fn load<C>() -> anyhow::Result<C>
where
    C: DeserializeOwned + Validate,
    C::Context: Default,
{
    service_kit::load_config().context("the settings cannot be used")
}

fn default_hash_workers() -> usize {
    2
}

fn default_hash_queue() -> usize {
    32
}

fn default_token_seconds() -> u32 {
    3_600
}

fn default_issuer() -> String {
    "openvpn-telemetry".to_owned()
}

fn default_audience() -> String {
    "openvpn-telemetry-portal".to_owned()
}

fn default_admin_username() -> String {
    "admin".to_owned()
}
