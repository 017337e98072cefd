//! The private key that signs access tokens: PKCS#8 PEM, Ed25519, made at the first start.

use std::path::Path;

use access_token::{Signer, SignerError};
use ring::rand::SecureRandom;

use crate::private_file::{self, PrivateFileError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error(transparent)]
    File(#[from] PrivateFileError),
    #[error(transparent)]
    Key(#[from] SignerError),
}

/// The key in `path`. A missing file is made; of several processes at once one makes it and all use it.
pub(crate) fn load_or_create(path: &Path, random: &dyn SecureRandom) -> Result<Signer, KeyFileError> {
    let make = || Ok::<_, KeyFileError>(Signer::generate_pem()?.into_bytes());
    let pem = private_file::read_or_create(path, random, make)?;
    Ok(Signer::from_pem(&pem)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("signing-key-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[test]
    fn a_missing_key_is_made_private_and_stays() {
        let directory = directory("made");
        let path = directory.join("deeper/key.pem");
        let random = ring::rand::SystemRandom::new();
        let made = load_or_create(&path, &random).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_create(&path, &random).unwrap().public_key(), made.public_key());
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "no draft is left"
        );
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn of_many_starting_at_once_all_use_one_key() {
        let directory = directory("race");
        let path = directory.join("key.pem");
        let keys: Vec<String> = std::thread::scope(|scope| {
            let start = || {
                load_or_create(&path, &ring::rand::SystemRandom::new())
                    .unwrap()
                    .public_key()
                    .kid
                    .clone()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        fs::remove_dir_all(directory).unwrap();
    }
}
