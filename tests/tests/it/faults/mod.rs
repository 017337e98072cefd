//! What happens when something fails, and that nothing is lost by it: services killed, servers away, poison, bad input.

mod bad_input;
mod delivery;
mod different_stream;
mod full_stream;
mod kills;
mod nats;
mod poison;
mod postgres;
mod redis;
mod resets;
mod stored;
mod storm;
mod working_day;

use bus::{Bus, BusConfig};
use serde_json::Value;
use test_support::{Reply, Stack, redis_command};

/// The bus of a stack whose streams have their default sizes.
async fn bus(stack: &Stack) -> Bus {
    let config = BusConfig::new(stack.variable("NATS_URL"), stack.variable("BUS_NAMESPACE"));
    Bus::connect(&config).await.expect("NATS is there")
}

/// Ids of the sessions that the live cache lists, in order.
async fn live_sessions(stack: &Stack) -> Vec<String> {
    let key = format!("{}:live:active", stack.variable("REDIS_PREFIX"));
    let mut ids = redis_command(stack.variable("REDIS_URL"), &["ZRANGE", &key, "0", "-1"]).await;
    ids.retain(|id| !id.is_empty());
    ids.sort();
    ids
}

/// Asserts a complete problem answer (RFC 9457) and gives it.
#[track_caller]
fn assert_problem(reply: &Reply, status: u16, error: &str) -> Value {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let problem = reply.json();
    assert_eq!(problem["error"], error, "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    for member in ["type", "title", "detail", "request_id"] {
        let text = problem[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{member} is missing: {problem}");
    }
    problem
}

/// 503 that tells when to come back.
#[track_caller]
fn assert_try_later(reply: &Reply, error: &str) {
    assert_problem(reply, 503, error);
    let seconds: Option<u64> = reply.header("retry-after").and_then(|value| value.parse().ok());
    assert!(
        seconds.is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{seconds:?}"
    );
}
