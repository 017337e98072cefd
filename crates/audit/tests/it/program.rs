use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::new_uuid;

/// What a run of `audit` said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs `audit` with this environment alone.
pub(crate) fn audit(arguments: &[&str], database_url: Option<&str>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
    command.args(arguments).env_clear();
    command.envs(database_url.map(|url| ("DATABASE_URL", url)));
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        output: String::from_utf8(output.stdout).unwrap().trim_end().to_owned(),
        errors: String::from_utf8(output.stderr).unwrap().trim_end().to_owned(),
    }
}

/// A file of one test, which is gone with it.
pub(crate) struct Scratch(PathBuf);

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn file(name: &str, content: &str) -> Scratch {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", new_uuid()));
    std::fs::write(&path, content).unwrap();
    Scratch(path)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
