//! Refresh tokens: opaque, 256 random bits, kept as SHA-256 only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SecureRandom;

use crate::random::{self, NoRandomness};

/// A token that only its receiver will know.
pub(crate) struct RefreshToken {
    /// The whole token.
    pub(crate) text: String,
    /// All that is kept.
    pub(crate) sha256: [u8; 32],
}

impl RefreshToken {
    pub(crate) fn generate(random: &dyn SecureRandom) -> Result<Self, NoRandomness> {
        let text = URL_SAFE_NO_PAD.encode(random::bytes::<32>(random)?);
        Ok(Self {
            sha256: sha256(&text),
            text,
        })
    }
}

/// What a presented token is looked up by.
pub(crate) fn sha256(text: &str) -> [u8; 32] {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
