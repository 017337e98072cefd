//! The key that TOTP secrets are encrypted with before they go to the database.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::SecureRandom;

use crate::private_file::{self, PrivateFileError};
use crate::random::{self, NoRandomness};

#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretsKeyError {
    #[error(transparent)]
    File(#[from] PrivateFileError),
    #[error("the key file does not hold 32 bytes in base64")]
    Malformed,
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// What was stored is not what this key encrypted for this user.
    #[error("a stored TOTP secret cannot be decrypted with the key in AUTH_SECRETS_KEY_FILE")]
    WrongKey,
}

/// AES-256-GCM. What is sealed for one portal user opens for no other. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SecretsKey(LessSafeKey);

impl SecretsKey {
    /// The key in `path`, base64 of 32 bytes. A missing file is made.
    pub(crate) fn load_or_create(path: &Path, random: &dyn SecureRandom) -> Result<Self, SecretsKeyError> {
        let make =
            || Ok::<_, SecretsKeyError>(format!("{}\n", STANDARD.encode(random::bytes::<32>(random)?)).into_bytes());
        let text = private_file::read_or_create(path, random, make)?;
        let key = STANDARD
            .decode(text.trim_ascii())
            .map_err(|_| SecretsKeyError::Malformed)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| SecretsKeyError::Malformed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Nonce, ciphertext and tag. The nonce is random: good for 2^32 secrets with one key.
    pub(crate) fn seal(
        &self,
        portal_user_id: i64,
        secret: &[u8],
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, SecretsKeyError> {
        let nonce = random::bytes::<NONCE_LEN>(random)?;
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), owner(portal_user_id), &mut sealed)
            .map_err(|_| NoRandomness)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    pub(crate) fn open(&self, portal_user_id: i64, sealed: &[u8]) -> Result<Vec<u8>, SecretsKeyError> {
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SecretsKeyError::WrongKey)?;
        let mut opened = ciphertext.to_vec();
        let secret = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), owner(portal_user_id), &mut opened)
            .map_err(|_| SecretsKeyError::WrongKey)?;
        Ok(secret.to_vec())
    }
}

/// A row copied over another user's does not open.
fn owner(portal_user_id: i64) -> Aad<[u8; 8]> {
    Aad::from(portal_user_id.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use ring::rand::SystemRandom;

    use super::*;

    fn key(name: &str) -> SecretsKey {
        let path = std::env::temp_dir().join(format!("secrets-key-{name}-{}", std::process::id()));
        let made = SecretsKey::load_or_create(&path, &SystemRandom::new()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = made.seal(1, b"kept", &SystemRandom::new()).unwrap();
        let read = SecretsKey::load_or_create(&path, &SystemRandom::new()).unwrap();
        assert_eq!(read.open(1, &sealed).unwrap(), b"kept");
        fs::remove_file(path).unwrap();
        read
    }

    #[test]
    fn a_secret_opens_for_its_user_and_with_its_key_only() {
        let (ours, other) = (key("ours"), key("other"));
        let sealed = ours.seal(7, b"secret", &SystemRandom::new()).unwrap();
        assert_eq!(ours.open(7, &sealed).unwrap(), b"secret");
        assert!(ours.open(8, &sealed).is_err());
        assert!(other.open(7, &sealed).is_err());
        assert!(ours.open(7, &sealed[..11]).is_err());
        let again = ours.seal(7, b"secret", &SystemRandom::new()).unwrap();
        assert_ne!(sealed, again);
    }

    #[test]
    fn a_file_without_a_key_is_refused() {
        let path = std::env::temp_dir().join(format!("secrets-key-none-{}", std::process::id()));
        fs::write(&path, "c2hvcnQ=").unwrap();
        let loaded = SecretsKey::load_or_create(&path, &SystemRandom::new());
        assert!(matches!(loaded, Err(SecretsKeyError::Malformed)));
        fs::remove_file(path).unwrap();
    }
}
