//! The private key that signs access tokens: PKCS#8 PEM, Ed25519, made at the first start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use access_token::{Signer, SignerError};
use ring::rand::SecureRandom;

use crate::random::{self, NoRandomness};

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("cannot read the signing key file {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot create the signing key file {path}")]
    Create { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error(transparent)]
    Key(#[from] SignerError),
}

/// The key in `path`. A missing file is made; of several processes at once one makes it and all use it.
pub(crate) fn load_or_create(path: &Path, random: &dyn SecureRandom) -> Result<Signer, KeyFileError> {
    if !path.exists() {
        let suffix = random::text(random, b"abcdefghijklmnopqrstuvwxyz", 12)?;
        let pem = Signer::generate_pem()?;
        create(path, &suffix, &pem).map_err(|source| KeyFileError::Create {
            path: path.to_owned(),
            source,
        })?;
    }
    let pem = fs::read(path).map_err(|source| KeyFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    warn_when_others_may_read(path);
    Ok(Signer::from_pem(&pem)?)
}

/// The whole file appears under its name at once, or not at all: no reader sees half a key, no crash leaves one.
fn create(path: &Path, suffix: &str, pem: &str) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory)?;
    let draft = directory.join(format!(".signing-key-{suffix}"));
    let written = write_private(&draft, pem).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match written {
        // Another process was first: its key counts.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => removed,
        Err(error) => Err(error),
        Ok(()) => removed.and_then(|()| File::open(directory)?.sync_all()),
    }
}

fn write_private(path: &Path, pem: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}

/// A warning only: secrets mounted by an orchestrator are often readable by a group.
fn warn_when_others_may_read(path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777), "the signing key can be read by others");
    }
}

#[cfg(test)]
mod tests {
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
