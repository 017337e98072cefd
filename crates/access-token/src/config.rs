//! What the guard can be told, alike in every service that verifies access tokens.

use std::num::NonZeroU32;

use garde::Validate;
use serde::Deserialize;

/// Where the denylist is, and how much one portal user may ask.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub struct AccessConfig {
    /// `REDIS_URL`: where the denylist is.
    pub redis_url: String,
    /// `REDIS_PREFIX`: first part of every key.
    #[serde(default = "default_prefix")]
    #[garde(length(min = 1))]
    pub redis_prefix: String,
    /// `API_REQUESTS_PER_MINUTE`: what one portal user may ask of one process in the long run, and at once.
    #[serde(default = "default_requests_per_minute")]
    pub api_requests_per_minute: NonZeroU32,
}

fn default_prefix() -> String {
    "ovt".to_owned()
}

fn default_requests_per_minute() -> NonZeroU32 {
    const { NonZeroU32::new(1_200).expect("it is not zero") }
}
