//! `agent hook`: called by OpenVPN, which waits for it. It writes one file, synced, and is gone. Whatever goes wrong, it lets the
//! client in: telemetry never stands between people and their network. Except for a VPN user whom an administrator of the product
//! has denied to connect for a time: that is what the agent's list of denials is for.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use time::{Duration, OffsetDateTime};

use crate::commands::denials::Denials;
use crate::{clock, inbox};

/// Leaves the environment of this call in the inbox below `state_dir`.
pub fn run(state_dir: &Path) -> ExitCode {
    let denied = denied(state_dir);
    // The daemon calls client-disconnect for a client that was refused as well.
    let mark = denied.is_some().then(|| (inbox::REFUSED.to_owned(), "1".to_owned()));
    let left = inbox::leave(&state_dir.join("hooks"), &name(), variables().chain(mark));
    if let Err(error) = left {
        tell(&format!("what the daemon told is lost: {error}"));
    }
    let Some((common_name, until)) = denied else {
        return ExitCode::SUCCESS;
    };
    let until = agent_api::format_time(until);
    tell(&format!("the VPN user {common_name} may not connect before {until}"));
    ExitCode::FAILURE
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

/// The client that may not connect, and until when. A list that cannot be read keeps nobody out.
fn denied(state_dir: &Path) -> Option<(String, OffsetDateTime)> {
    let variable = |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    if variable("script_type").as_deref() != Some("client-connect") {
        return None;
    }
    let denials = match Denials::load(state_dir) {
        Ok(denials) => denials,
        Err(error) => {
            tell(&format!("the list of denials cannot be read: {error}"));
            return None;
        }
    };
    let common_name = variable("common_name")?;
    let left = denials.refused_for(&common_name, &clock::Instant::now())?;
    Some((common_name, clock::now().saturating_add(Duration::milliseconds(left))))
}

#[expect(clippy::print_stderr, reason = "OpenVPN puts it into its own log")]
fn tell(what: &str) {
    eprintln!("agent hook: {what}");
}
