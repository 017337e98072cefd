//! The file of checkpoints: one a line, as JSON; only ever appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use domain::audit_chain::Checkpoint;

/// Appends a checkpoint; it is on the disk when this returns.
pub(super) fn append(path: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory)?;
    let is_new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let line = format!("{}\n", serde_json::to_string(checkpoint)?);
    // One write: several processes may append to the same file.
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    if is_new {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// The checkpoint of the latest entry; none when there is no file yet, or nothing in it can be read.
pub(super) fn last(path: &Path) -> Option<Checkpoint> {
    let text = fs::read_to_string(path).ok()?;
    text.lines()
        .filter_map(|line| serde_json::from_str::<Checkpoint>(line).ok())
        .max_by_key(|checkpoint| checkpoint.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_checkpoint_is_read_back_whatever_else_stands_there() {
        let path = std::env::temp_dir().join(format!("audit-checkpoints-{}/deeper/file", std::process::id()));
        assert_eq!(last(&path), None);
        let checkpoint = |id| Checkpoint {
            id,
            entry_hash: [1; 32],
            signed_at: "2026-02-13T12:00:00.000Z".to_owned(),
            kid: "kid".to_owned(),
            signature: [2; 64],
        };
        append(&path, &checkpoint(1)).unwrap();
        append(&path, &checkpoint(7)).unwrap();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"id\":9,")
            .unwrap();
        assert_eq!(last(&path), Some(checkpoint(7)));
        fs::remove_dir_all(path.parent().unwrap().parent().unwrap()).unwrap();
    }
}
