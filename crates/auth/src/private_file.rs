//! Files that hold a key: made once, readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::rand::SecureRandom;

use crate::random::{self, NoRandomness};

#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivateFileError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot create {path}")]
    Create { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// What is in `path`. A missing file is made of what `make` gives; of several processes at once one makes it and all
/// use it.
pub(crate) fn read_or_create<E: From<PrivateFileError>>(
    path: &Path,
    random: &dyn SecureRandom,
    make: impl FnOnce() -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    if !path.exists() {
        let suffix = random::text(random, b"abcdefghijklmnopqrstuvwxyz", 12).map_err(PrivateFileError::from)?;
        create(path, &suffix, &make()?).map_err(|source| PrivateFileError::Create {
            path: path.to_owned(),
            source,
        })?;
    }
    let content = fs::read(path).map_err(|source| PrivateFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    warn_when_others_may_read(path);
    Ok(content)
}

/// The whole file appears under its name at once, or not at all: no reader sees half a key, no crash leaves one.
fn create(path: &Path, suffix: &str, content: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory)?;
    let draft = directory.join(format!(".key-{suffix}"));
    let written = write_private(&draft, content).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match written {
        // Another process was first: its key counts.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => removed,
        Err(error) => Err(error),
        Ok(()) => removed.and_then(|()| File::open(directory)?.sync_all()),
    }
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A warning only: secrets mounted by an orchestrator are often readable by a group.
fn warn_when_others_may_read(path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777), "the key file can be read by others");
    }
}
