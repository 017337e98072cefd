//! Each rule of the timeline as a story: an agent tells it through nginx, the portal shows what became of it.
//!
//! All stories play on 13 February 2026, so sessions must not time out for being that old; `timeouts` is another matter.

mod access;
mod clocks;
mod counters;
mod endings;
mod exports;
mod gaps;
mod identity;
mod live;
mod overview;
mod repetition;
mod restarts;
mod timeouts;

use serde_json::{Value, json};
use test_support::Stack;
use uuid::Uuid;

async fn stack() -> Stack {
    let century = "3155760000";
    Stack::builder()
        .nginx()
        .with("session-processor", "SESSION_TIMEOUT_SECONDS", century)
        .start()
        .await
}

/// An instant of the stories' day, as the API writes it.
fn at(clock: &str) -> String {
    format!("2026-02-13T{clock}.000Z")
}

/// Waits until the portal shows a session like this, and gives all of it.
async fn session(stack: &Stack, id: Uuid, expected: Value) -> Value {
    stack.api().shows(&format!("/api/sessions/{id}"), &expected).await
}

/// Waits until the portal shows a VPN server like this, and gives all of it.
async fn server(stack: &Stack, name: &str, expected: Value) -> Value {
    let list = stack.api().get(&format!("/api/servers?search={name}")).await;
    let id = list["servers"][0]["id"].as_i64().expect("the server is registered");
    stack.api().shows(&format!("/api/servers/{id}"), &expected).await
}

fn active() -> Value {
    json!({"session_status": "active", "ended_by": null, "disconnected_at": null, "end_not_after": null})
}

/// An end that the daemon itself reported.
fn reported(clock: &str) -> Value {
    inferred("reported", clock, clock)
}

/// An end between the last proof of life and the first disproof.
fn inferred(ended_by: &str, last_proof: &str, first_disproof: &str) -> Value {
    json!({
        "session_status": "disconnected",
        "ended_by": ended_by,
        "disconnected_at": at(last_proof),
        "end_not_after": at(first_disproof),
    })
}
