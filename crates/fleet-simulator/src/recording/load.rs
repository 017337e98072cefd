//! A recorded run, read from its folder.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use time::OffsetDateTime;

use openvpn::environment::Environment;
use openvpn::management::{TimedNotice, parse_transcript};
use openvpn::status::{StatusReport, parse_status};

/// Everything in the folder of one run that tells of sessions.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// What stands before the first `-` of the folder's name.
    pub run: String,
    /// What the daemon said to all its management clients, in the order of time.
    pub notices: Vec<TimedNotice>,
    /// Copies of the `--status` file.
    pub status_files: Vec<StatusReport>,
    /// Environments of `client-connect` scripts, in the order of calls.
    pub connects: Vec<Environment>,
    /// Environments of `client-disconnect` scripts, in the order of calls.
    pub disconnects: Vec<Environment>,
    /// Common names that the server's `client-config-dir` disables.
    pub disabled: HashSet<String>,
    /// The server runs with `duplicate-cn`.
    pub duplicate_cn: bool,
    /// When whoever ran the daemon stopped it.
    pub stopped_at: Option<OffsetDateTime>,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read {path}")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is not a status report")]
    Status {
        path: PathBuf,
        #[source]
        source: openvpn::status::StatusError,
    },
    #[error("there is no recorded run in {0}")]
    NoRun(PathBuf),
}

/// The folders of runs: `folder` itself, or those in it, by name.
///
/// # Errors
/// When the folder cannot be read or holds no run.
pub fn find_runs(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if is_run(folder)? {
        return Ok(vec![folder.to_owned()]);
    }
    let mut runs = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() && is_run(&path)? {
            runs.push(path);
        }
    }
    if runs.is_empty() {
        Err(LoadError::NoRun(folder.to_owned()))
    } else {
        Ok(runs)
    }
}

fn is_run(folder: &Path) -> Result<bool, LoadError> {
    Ok(entries(folder)?
        .iter()
        .any(|path| path.extension().is_some_and(|extension| extension == "timed")))
}

impl Recording {
    /// Reads the folder of a run; the server's `ccd` is beside it.
    ///
    /// # Errors
    /// When a file cannot be read, or a status file is not one.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let mut recording = Self {
            run: name.split('-').next().unwrap_or_default().to_owned(),
            ..Self::default()
        };
        for path in entries(folder)? {
            recording.take_in(&path)?;
        }
        recording.notices.sort_by_key(|timed| timed.at);
        recording.disabled = disabled_names(&folder.with_file_name("ccd"))?;
        Ok(recording)
    }

    fn take_in(&mut self, path: &Path) -> Result<(), LoadError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name == "script-env" {
            return self.take_in_scripts(path);
        }
        if name.ends_with(".timed") {
            self.notices.extend(parse_transcript(&read(path)?));
        } else if name.starts_with("statusfile-") {
            let report = parse_status(&read(path)?).map_err(|source| LoadError::Status {
                path: path.to_owned(),
                source,
            })?;
            self.status_files.push(report);
        } else if name == "server.conf" {
            self.duplicate_cn = read(path)?.lines().any(|line| line.trim() == "duplicate-cn");
        } else if name == "driver-actions.jsonl" {
            self.stopped_at = stopped_at(&read(path)?);
        }
        Ok(())
    }

    fn take_in_scripts(&mut self, folder: &Path) -> Result<(), LoadError> {
        for path in entries(folder)? {
            let environment = Environment::parse(&read(&path)?);
            match environment.text("script_type") {
                Some("client-connect") => self.connects.push(environment),
                Some("client-disconnect") => self.disconnects.push(environment),
                _ => {}
            }
        }
        Ok(())
    }
}

/// One thing that the driver of the recording did.
#[derive(Deserialize)]
struct DriverAction {
    t: f64,
    event: String,
}

fn stopped_at(actions: &str) -> Option<OffsetDateTime> {
    let action = actions
        .lines()
        .filter_map(|line| serde_json::from_str::<DriverAction>(line).ok())
        .find(|action| action.event == "server-SIGTERM")?;
    OffsetDateTime::UNIX_EPOCH.checked_add(time::Duration::checked_seconds_f64(action.t)?)
}

fn disabled_names(ccd: &Path) -> Result<HashSet<String>, LoadError> {
    if !ccd.is_dir() {
        return Ok(HashSet::new());
    }
    let mut names = HashSet::new();
    for path in entries(ccd)? {
        if read(&path)?.lines().any(|line| line.trim() == "disable") {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    Ok(names)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let listed: Result<Vec<_>, _> = fs::read_dir(folder).map_err(unreadable)?.collect();
    let mut paths: Vec<PathBuf> = listed
        .map_err(unreadable)?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, LoadError> {
    let bytes = fs::read(path).map_err(|source| LoadError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
