use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use crate::roles::with_login_of;
use crate::shared_servers;

/// Environment variables of a process.
pub(crate) type Environment = [(String, String)];

/// A command of one of our binaries under `environment` alone: what is set on this machine does not change a test. A service
/// gets the database role that it has where it is deployed, so that no test gives it more rights than that.
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
        .envs(environment.iter().map(|(key, value)| match key.as_str() {
            "DATABASE_URL" | "DATABASE_READ_URL" => (key, with_login_of(name, value)),
            _ => (key, value.clone()),
        }))
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

/// Runs a script of `deploy/local` with these variables besides, and gives what it wrote to standard output.
///
/// # Errors
/// The same, when it failed.
pub async fn try_script(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
    let mut command = Command::new(shared_servers().scripts.join(name));
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    let output = output_of(command).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(text) } else { Err(text) }
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

/// Runs a command that succeeds and gives its standard output.
pub(crate) async fn run_to_end(command: Command) -> String {
    let program = command.get_program().to_owned();
    let output = output_of(command).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program:?} failed ({}): {errors}",
        output.status
    );
    String::from_utf8(output.stdout).expect("UTF-8 on standard output")
}

/// Beside the test's own tasks, which go on meanwhile.
pub(crate) async fn output_of(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || {
        command
            .output()
            .unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"))
    })
    .await
    .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
