use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::shared_servers;

/// Environment variables of a process.
pub(crate) type Environment = [(String, String)];

/// A command of one of our binaries under `environment` alone: what is set on this machine does not change a test.
pub(crate) fn binary(name: &str, arguments: &[&str], environment: &Environment) -> Command {
    let path = shared_servers().binaries.join(name);
    assert!(
        path.exists(),
        "the binary {name} has not been built; BUILD={name:?} or `cargo build --workspace --bins`"
    );
    let mut command = Command::new(path);
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().cloned())
        .stdin(Stdio::null());
    command
}

/// Runs one of our binaries to its end and gives its standard output.
///
/// # Panics
/// When it fails; the message holds what it wrote to standard error.
pub async fn run_binary(name: &str, arguments: &[&str], environment: &[(String, String)]) -> String {
    run_to_end(binary(name, arguments, environment)).await
}

/// Runs a script of `deploy/local`.
pub(crate) async fn script<S: AsRef<OsStr>>(name: &str, arguments: &[S], environment: &Environment) -> String {
    let mut command = Command::new(shared_servers().scripts.join(name));
    command
        .args(arguments)
        .envs(environment.iter().cloned())
        .stdin(Stdio::null());
    run_to_end(command).await
}

/// Beside the test's own tasks, which go on meanwhile.
pub(crate) async fn run_to_end(mut command: Command) -> String {
    tokio::task::spawn_blocking(move || {
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{:?} failed ({}): {errors}",
            command.get_program(),
            output.status
        );
        String::from_utf8(output.stdout).expect("UTF-8 on standard output")
    })
    .await
    .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
