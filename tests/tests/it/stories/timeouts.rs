//! Rule 6: a session times out only for lack of proof of life, and comes back when proof arrives.

use serde_json::{Value, json};
use test_support::{Agent, Stack, contains, eventually};
use uuid::Uuid;

use super::{active, session};
use crate::live_cache::LiveCache;

async fn stack() -> Stack {
    Stack::builder()
        .nginx()
        .with("session-processor", "SESSION_TIMEOUT_SECONDS", "3")
        .with("session-processor", "PROCESSOR_SWEEP_SECONDS", "1")
        .start()
        .await
}

/// Nothing speaks against its life, so there is no first disproof.
fn timed_out() -> Value {
    json!({"session_status": "timeout", "ended_by": "timeout", "end_not_after": null})
}

/// Waits until a session looks like this, while the agent of `noisy` is heard all the time.
async fn session_while_heard(stack: &Stack, id: Uuid, expected: Value, noisy: &Agent) {
    let path = format!("/api/sessions/{id}");
    eventually(&format!("{path} to show {expected}"), async || {
        assert!(noisy.heartbeat(json!({})).await.status.is_success());
        contains(&stack.api().get(&path).await, &expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_session_without_proof_of_life_times_out_and_comes_back_with_the_next_proof() {
    let stack = stack().await;
    let (agent, cache) = (stack.agent("vpn-1"), LiveCache::of(&stack));
    let id = agent.connects("jdoe").at(&agent.now()).await;
    agent.updates("jdoe").at(&agent.now()).await;
    cache.lists([id]).await;

    let shown = session(&stack, id, timed_out()).await;
    assert_eq!(
        shown["disconnected_at"], shown["last_seen_at"],
        "the end is the last proof of life"
    );
    assert_eq!(shown["known_by"]["duration"], "at_least");
    cache.lists([]).await;
    stack
        .api()
        .shows(
            "/api/sessions?status=timeout",
            &json!({"total": 1, "sessions": [{"id": id}]}),
        )
        .await;

    agent.updates("jdoe").at(&agent.now()).await;
    session(&stack, id, active()).await;
    cache.lists([id]).await;
}

#[tokio::test]
async fn a_snapshot_that_lists_a_timed_out_session_brings_it_back() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let id = agent.connects("jdoe").at(&agent.now()).await;
    agent.updates("jdoe").at(&agent.now()).await;
    session(&stack, id, timed_out()).await;
    agent.snapshot(json!([{"common_name": "jdoe"}])).at(&agent.now()).await;
    session(&stack, id, active()).await;
}

#[tokio::test]
async fn a_heartbeat_that_lists_a_session_proves_its_life() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let listed = agent.connects("jdoe").at(&agent.now()).await;
    let lapsed = agent.connects("bob").at(&agent.now()).await;
    let path = format!("/api/sessions/{lapsed}");
    eventually("the session that is not listed to time out", async || {
        let listing = json!({"sessions": [{"common_name": "jdoe", "session_id": listed}]});
        assert!(agent.heartbeat(listing).await.status.is_success());
        contains(&stack.api().get(&path).await, &timed_out()).then_some(())
    })
    .await;
    let alive = session(&stack, listed, active()).await;
    assert!(
        alive["last_seen_at"].as_str() > alive["connected_at"].as_str(),
        "{alive}"
    );
}

#[tokio::test]
async fn a_timed_out_session_ends_as_reported_when_its_disconnect_arrives() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let id = agent.connects("jdoe").at("12:00:00").await;
    agent.updates("jdoe").at("12:10:00").await;
    session(&stack, id, timed_out()).await;
    agent.disconnects("jdoe").at("12:30:00").await;
    session(&stack, id, super::reported("12:30:00")).await;
}

#[tokio::test]
async fn where_only_connects_and_disconnects_are_told_a_long_session_lives_while_its_server_is_heard() {
    let stack = stack().await;
    let (quiet, proving) = (stack.agent("vpn-quiet"), stack.agent("vpn-proving"));
    let long = quiet.connects("jdoe").at("12:00:00").await;
    let lapsed = proving.connects("bob").at("12:00:00").await;
    proving.updates("bob").at("12:00:10").await;
    // The sweep that times this one out has looked at the other one too.
    session_while_heard(&stack, lapsed, timed_out(), &quiet).await;
    session(&stack, long, active()).await;

    // Now its server falls silent, and is heard again.
    session(&stack, long, timed_out()).await;
    session_while_heard(&stack, long, active(), &quiet).await;
}
