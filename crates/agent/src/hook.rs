//! `agent hook`: called by OpenVPN, which waits for it. It writes one file, synced, and is gone. Whatever goes wrong, it lets the
//! client in: telemetry never stands between people and their network.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use crate::inbox;

/// Leaves the environment of this call in the inbox below `state_dir`.
pub fn run(state_dir: &Path) -> ExitCode {
    let left = inbox::leave(&state_dir.join("hooks"), &name(), variables());
    if let Err(error) = left {
        complain(&error);
    }
    ExitCode::SUCCESS
}

/// Orders the calls of one host; the process id tells those of one instant apart.
#[expect(
    clippy::disallowed_methods,
    reason = "a process that lives for milliseconds reads the clock once"
)]
fn name() -> String {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:020}-{}", since.as_nanos(), std::process::id())
}

fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

#[expect(clippy::print_stderr, reason = "OpenVPN puts it into its own log")]
fn complain(error: &std::io::Error) {
    eprintln!("agent hook: what the daemon told is lost: {error}");
}
