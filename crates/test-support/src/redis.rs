use std::process::{Command, Stdio};

use crate::command::run_to_end;

/// What a Redis command answers, one line for each element; as an observer outside the services.
///
/// # Panics
/// When Redis does not answer.
pub async fn redis_command(url: &str, command: &[&str]) -> Vec<String> {
    let mut client = Command::new("redis-cli");
    client.args(["-e", "-u", url]).args(command).stdin(Stdio::null());
    run_to_end(client).await.lines().map(str::to_owned).collect()
}
