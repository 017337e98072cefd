//! Files that are there whole or not at all, also in the one folder that is the daemon's user's, too: whatever may have been put
//! there, it neither leads the agent elsewhere nor holds it up.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use time::OffsetDateTime;

/// Writes a whole file or leaves the old one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    // A new file in any case: the old one may be a link.
    if let Err(error) = fs::remove_file(&draft)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = File::create_new(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// What is in a file, and when it was written.
///
/// # Errors
/// When it cannot be read; [`io::ErrorKind::InvalidData`] when it is no file (a link is not followed, a pipe is not waited for), or
/// has more than `longest` bytes.
pub(crate) fn read(path: &Path, longest: u64) -> io::Result<(Vec<u8>, OffsetDateTime)> {
    let facts = fs::symlink_metadata(path)?;
    if !facts.is_file() || facts.len() > longest {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no file, or too long a one"));
    }
    // It may be another one by now.
    let unswayed = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(unswayed).open(path)?;
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes)?;
    Ok((bytes, facts.modified()?.into()))
}
