//! Secrets that clients send, other than passwords.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A refresh token or a one-time code. It appears in no log: its `Debug` is redacted and it has no `Display`.
#[derive(Clone, ToSchema)]
#[schema(value_type = String, max_length = 256)]
pub(crate) struct SecretText(String);

impl SecretText {
    /// The clear text, for hashing and comparing.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// By hand, because serde's own errors quote what they found.
impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let clear = String::deserialize(deserializer).map_err(|_| D::Error::custom("this is a string"))?;
        if clear.len() > 256 {
            return Err(D::Error::custom("this has at most 256 characters"));
        }
        Ok(Self(clear))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(redacted)")
    }
}
