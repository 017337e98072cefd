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

async fn is(stack: &Stack, id: Uuid, expected: &Value) -> bool {
    contains(&stack.api().get(&format!("/api/sessions/{id}")).await, expected)
}

/// Waits until each session is as expected, all at once, while something is told again and again.
async fn sessions_while(stack: &Stack, expected: &[(Uuid, Value)], mut tells: impl AsyncFnMut()) {
    eventually(&format!("sessions to be {expected:?}"), async || {
        tells().await;
        for (id, expected) in expected {
            if !is(stack, *id, expected).await {
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// A session that has proof of life now, on a server whose agent gives it.
async fn proven(agent: &Agent, common_name: &str) -> Uuid {
    let id = agent.connects(common_name).at(&agent.now()).await;
    agent.updates(common_name).at(&agent.now()).await;
    id
}

#[tokio::test]
async fn a_session_without_proof_of_life_times_out_and_comes_back_with_the_next_proof() {
    let stack = stack().await;
    let (agent, cache) = (stack.agent("vpn-1"), LiveCache::of(&stack));
    let id = proven(&agent, "jdoe").await;
    let shown = session(&stack, id, timed_out()).await;
    assert_eq!(
        shown["disconnected_at"], shown["last_seen_at"],
        "the end is the last proof of life"
    );
    assert_eq!(shown["known_by"]["duration"], "at_least");
    cache.lists([]).await;
    let list = json!({"total": 1, "sessions": [{"id": id}]});
    stack.api().shows("/api/sessions?status=timeout", &list).await;

    eventually("the session to come back, in the live cache too", async || {
        agent.updates("jdoe").at(&agent.now()).await;
        (is(&stack, id, &active()).await && cache.active().await.contains(&id)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_that_lists_a_timed_out_session_brings_it_back() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let id = proven(&agent, "jdoe").await;
    session(&stack, id, timed_out()).await;
    sessions_while(&stack, &[(id, active())], async || {
        agent.snapshot(json!([{"common_name": "jdoe"}])).at(&agent.now()).await;
    })
    .await;
}

#[tokio::test]
async fn a_heartbeat_that_lists_a_session_proves_its_life() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let (listed, lapsed) = (proven(&agent, "jdoe").await, proven(&agent, "bob").await);
    sessions_while(&stack, &[(listed, active()), (lapsed, timed_out())], async || {
        let listing = json!({"sessions": [{"common_name": "jdoe", "session_id": listed}]});
        assert!(agent.heartbeat(listing).await.status.is_success());
    })
    .await;
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
    let lapsed = proven(&proving, "bob").await;
    let beats = async || assert!(quiet.heartbeat(json!({})).await.status.is_success());
    // What times the one out has looked at the other one too.
    sessions_while(&stack, &[(long, active()), (lapsed, timed_out())], beats).await;
    // Now its server falls silent, and is heard again.
    session(&stack, long, timed_out()).await;
    sessions_while(&stack, &[(long, active())], beats).await;
}
