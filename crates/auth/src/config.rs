//! The settings of the service and of its commands; all of them, read here only.

mod session;

use std::path::PathBuf;

use access_token::AccessConfig;
use anyhow::Context;
use db::DatabaseConfig;
use garde::Validate;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::password::Password;

pub use session::{LockoutConfig, SessionConfig};

/// What serving needs.
#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct Config {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    /// Private key of the access tokens: Ed25519, PKCS#8 PEM. Created with mode 600 when it is missing.
    pub auth_signing_key_file: PathBuf,
    /// Key that TOTP secrets are encrypted with: 32 bytes in base64, the same for all replicas. `auth-secrets.key` beside the
    /// signing key when it is not set; created with mode 600 when it is missing.
    #[serde(default)]
    pub auth_secrets_key_file: Option<PathBuf>,
    #[serde(flatten)]
    pub bus: bus::BusConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub access: AccessConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub tokens: TokenConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub sessions: SessionConfig,
    #[serde(flatten)]
    #[garde(dive)]
    pub lockout: LockoutConfig,
    /// Passwords hashed at once, each for 19 MiB and about 25 ms of one core.
    #[serde(default = "default_hash_workers")]
    #[garde(range(min = 1, max = 64))]
    pub auth_hash_workers: usize,
    /// Logins that may wait for a hash; more are answered 503.
    #[serde(default = "default_hash_queue")]
    #[garde(range(max = 10_000))]
    pub auth_hash_queue: usize,
    #[serde(flatten)]
    #[garde(dive)]
    pub audit: AuditConfig,
}

/// How the head of the audit log is signed.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct AuditConfig {
    /// Private key that signs it: Ed25519, PKCS#8 PEM. Created with mode 600 when it is missing; beside
    /// `AUTH_SIGNING_KEY_FILE` when not set.
    #[serde(default)]
    pub audit_signing_key_file: Option<PathBuf>,
    /// Where signed heads are kept outside of the database, one a line; beside `AUTH_SIGNING_KEY_FILE` when not set.
    #[serde(default)]
    pub audit_checkpoint_file: Option<PathBuf>,
    /// How often the head is signed, when it has moved.
    #[serde(default = "default_checkpoint_seconds")]
    #[garde(range(min = 1, max = 86_400))]
    pub audit_checkpoint_seconds: u32,
}

impl Config {
    pub(crate) fn audit_signing_key_file(&self) -> PathBuf {
        let beside = || self.auth_signing_key_file.with_extension("audit.pem");
        self.audit.audit_signing_key_file.clone().unwrap_or_else(beside)
    }

    pub(crate) fn audit_checkpoint_file(&self) -> PathBuf {
        let beside = || self.auth_signing_key_file.with_extension("audit-checkpoints.jsonl");
        self.audit.audit_checkpoint_file.clone().unwrap_or_else(beside)
    }
}

impl Config {
    pub(crate) fn secrets_key_file(&self) -> PathBuf {
        let beside = || self.auth_signing_key_file.with_file_name("auth-secrets.key");
        self.auth_secrets_key_file.clone().unwrap_or_else(beside)
    }
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

/// What `reset-password` needs.
#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct ResetConfig {
    #[serde(flatten)]
    pub database: DatabaseConfig,
    #[serde(flatten)]
    pub access: AccessConfig,
    #[serde(flatten)]
    pub bus: bus::BusConfig,
    /// Generated and printed once when it is not set.
    #[serde(default)]
    pub new_password: Option<Password>,
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

fn default_checkpoint_seconds() -> u32 {
    60
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
