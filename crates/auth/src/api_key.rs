//! New API keys for agents: `ovt_<key id>_<secret>`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SecureRandom;

use crate::random::{self, NoRandomness};

/// A key that only its receiver will know.
pub(crate) struct GeneratedKey {
    /// 12 characters of `a-z0-9`; it names the key and is no secret.
    pub(crate) key_id: String,
    /// The whole key, to be shown once.
    pub(crate) text: String,
    /// SHA-256 of the secret's text; all that is kept.
    pub(crate) secret_sha256: [u8; 32],
}

/// Whether a text can be the id of a key.
pub(crate) fn is_key_id(text: &str) -> bool {
    text.len() == 12
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Generates a key with 256 random bits.
pub(crate) fn generate(random: &dyn SecureRandom) -> Result<GeneratedKey, NoRandomness> {
    let key_id = random::text(random, b"abcdefghijklmnopqrstuvwxyz0123456789", 12)?;
    let secret = URL_SAFE_NO_PAD.encode(random::bytes::<32>(random)?);
    let hash = digest(&SHA256, secret.as_bytes());
    let secret_sha256 = hash.as_ref().try_into().expect("SHA-256 has 32 bytes");
    Ok(GeneratedKey {
        text: format!("ovt_{key_id}_{secret}"),
        key_id,
        secret_sha256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_id_and_a_secret_whose_hash_is_kept() {
        let key = generate(&ring::rand::SystemRandom::new()).unwrap();
        let secret = key.text.strip_prefix(&format!("ovt_{}_", key.key_id)).unwrap();
        assert_eq!(key.key_id.len(), 12);
        assert_eq!(secret.len(), 43);
        assert_eq!(digest(&SHA256, secret.as_bytes()).as_ref(), key.secret_sha256);
    }
}
