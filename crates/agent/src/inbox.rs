//! What the daemon's hooks leave for the agent: one synced file a call. OpenVPN waits for its hooks, and the agent may be away, so
//! a hook only writes and goes.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use openvpn::Environment;
use time::OffsetDateTime;

use crate::{clock, files};

/// More than the wanted variables can hold: what a kernel hands to a process as one variable is bounded as well.
const LONGEST_CALL: u64 = 256 << 10;

/// The hook's own variable: it has refused this client.
pub const REFUSED: &str = "agent_refused";

/// Variables that an event can be made of; others stay where they are.
const WANTED: [&str; 25] = [
    REFUSED,
    "script_type",
    "common_name",
    "X509_0_CN",
    "time_unix",
    "time_duration",
    "bytes_received",
    "bytes_sent",
    "trusted_ip",
    "trusted_ip6",
    "trusted_port",
    "untrusted_ip",
    "untrusted_ip6",
    "untrusted_port",
    "ifconfig_pool_remote_ip",
    "ifconfig_pool_remote_ip6",
    "username",
    "IV_PLAT",
    "IV_VER",
    "IV_GUI_VER",
    "daemon_start_time",
    "daemon_pid",
    "signal",
    "n_clients",
    "dev",
];

/// Leaves a hook's environment in the inbox and returns when it is on disk. `name` orders the calls and is new for each.
///
/// # Errors
/// When the folder or the disk refuses.
pub fn leave(inbox: &Path, name: &str, variables: impl Iterator<Item = (String, String)>) -> io::Result<()> {
    let mut environment = Environment::default();
    for (variable, value) in variables.filter(|(variable, _)| WANTED.contains(&variable.as_str())) {
        environment.add(&format!("{variable}={value}"));
    }
    let draft = inbox.join(format!("{name}.draft"));
    let mut file = File::create_new(&draft)?;
    let written = write(&mut file, &environment).and_then(|()| fs::rename(&draft, inbox.join(format!("{name}.env"))));
    if let Err(error) = written {
        // What is half there would stay for ever.
        fs::remove_file(&draft)?;
        return Err(error);
    }
    File::open(inbox)?.sync_all()
}

fn write(file: &mut File, environment: &Environment) -> io::Result<()> {
    // Whatever the daemon's umask: the agent is another user. Nobody else gets into the folder.
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(environment.to_lines().as_bytes())?;
    file.sync_all()
}

/// The daemon waits for its hook before it says anything else: why a session ended, its log tells just after.
const LOG_FOLLOWS_WITHIN: Duration = Duration::from_millis(200);

/// One call of a hook.
#[derive(Debug)]
pub struct Call {
    pub path: PathBuf,
    pub environment: Environment,
    age: Duration,
}

impl Call {
    /// Whether it is an end of which the log may still have to tell.
    fn is_fresh_end(&self) -> bool {
        self.environment.text("script_type") == Some("client-disconnect") && self.age < LOG_FOLLOWS_WITHIN
    }

    fn is_refusal(&self) -> bool {
        self.environment.text(REFUSED).is_some()
    }
}

/// Those that are to be taken over now, in order: what comes after a fresh end waits with it. But not the word that a client was refused:
/// daemons before 2.6 call such a one established a moment later.
pub fn due(waiting: Vec<Call>) -> Vec<Call> {
    let mut waits = false;
    let is_due = |call: &Call| {
        waits |= call.is_fresh_end();
        !waits || call.is_refusal()
    };
    waiting.into_iter().filter(is_due).collect()
}

/// What waits in the inbox, in the order of the calls, at most `limit`.
///
/// # Errors
/// When the folder cannot be read.
pub fn waiting(inbox: &Path, limit: usize) -> io::Result<Vec<Call>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(inbox)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "env"))
        .collect();
    paths.sort();
    paths.truncate(limit);
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        match files::read(&path, LONGEST_CALL) {
            Ok((text, written_at)) => found.push(Call {
                environment: Environment::parse(&String::from_utf8_lossy(&text)),
                age: age(written_at),
                path,
            }),
            // Nothing that the daemon's user may put there stops what its hooks tell.
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidData) => {
                put_aside(&path, &error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn put_aside(path: &Path, why: &io::Error) {
    tracing::error!(path = %path.display(), %why, "This is not what a hook leaves, or cannot be read; it is put aside.");
    if let Err(error) = fs::rename(path, path.with_extension("unreadable")) {
        tracing::error!(path = %path.display(), %error, "It cannot be put aside either, and is left alone.");
    }
}

/// A file of the future, after the clock was set, is old.
fn age(written_at: OffsetDateTime) -> Duration {
    (clock::now() - written_at).try_into().unwrap_or(Duration::MAX)
}

/// Removes what has been taken over.
///
/// # Errors
/// When the disk refuses; what stays is taken over again, which changes nothing.
pub fn remove(paths: &[PathBuf]) -> io::Result<()> {
    paths.iter().try_for_each(fs::remove_file)
}
