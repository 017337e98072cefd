//! Rules 3, 4 and 7: which session a disconnect ends, what a connect takes over, and what an end says of itself.

use serde_json::json;
use test_support::new_uuid;

use super::{active, at, inferred, reported, session, stack};

const UNMATCHED: &str = "/api/events/unmatched";

#[tokio::test]
async fn a_disconnect_that_comes_first_waits_for_its_connect() {
    let stack = stack().await;
    let (agent, api) = (stack.agent("vpn-1"), stack.api());
    let early = agent.disconnects("jdoe").at("12:30:00").await;
    let waiting = json!({"event_id": early, "event_type": "SESSION_DISCONNECTED", "event_time": at("12:30:00"),
        "common_name": "jdoe", "server_instance": "vpn-1"});
    api.shows(UNMATCHED, &json!({"total": 1, "events": [waiting]})).await;
    assert_eq!(api.get("/api/sessions").await["total"], 0);

    let late = agent.connects("jdoe").at("12:00:00").await;
    let shown = session(&stack, late, reported("12:30:00")).await;
    assert_eq!(shown["duration_seconds"], 1800);
    api.shows(UNMATCHED, &json!({"total": 0, "events": []})).await;
}

#[tokio::test]
async fn a_disconnect_that_names_a_session_waits_for_that_one_only() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let unknown = new_uuid();
    let other = agent.connects("jdoe").at("11:00:00").await;
    agent.disconnects("jdoe").session(unknown).at("12:30:00").await;
    stack.api().shows(UNMATCHED, &json!({"total": 1})).await;
    session(&stack, other, active()).await;

    agent.connects("jdoe").id(unknown).at("12:00:00").await;
    session(&stack, unknown, reported("12:30:00")).await;
    session(&stack, other, inferred("superseded", "11:00:00", "12:00:00")).await;
    stack.api().shows(UNMATCHED, &json!({"total": 0})).await;
}

#[tokio::test]
async fn a_disconnect_ends_the_right_one_of_several_sessions_of_a_user() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1").with_duplicate_cn();
    let first = agent.connects("jdoe").virtual_ip("10.8.0.2").at("10:00:00").await;
    let second = agent.connects("jdoe").virtual_ip("10.8.0.3").at("10:30:00").await;
    let third = agent.connects("jdoe").virtual_ip("10.8.0.4").at("12:00:00").await;
    let fourth = agent.connects("jdoe").virtual_ip("10.8.0.5").at("12:10:00").await;

    agent.disconnects("jdoe").at("11:00:00").await;
    agent.disconnects("jdoe").session(first).at("11:30:00").await;
    agent.disconnects("jdoe").virtual_ip("10.8.0.4").at("13:00:00").await;

    session(&stack, second, reported("11:00:00")).await;
    session(&stack, first, reported("11:30:00")).await;
    session(&stack, third, reported("13:00:00")).await;
    session(&stack, fourth, active()).await;
    let user = json!({"total": 1, "users": [{"common_name": "jdoe", "vpn_status": "active",
        "active_sessions": 1, "total_sessions": 4}]});
    stack.api().shows("/api/vpn-users", &user).await;
}

#[tokio::test]
async fn a_connect_takes_over_the_address_it_is_given() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let older = agent.connects("jdoe").virtual_ip("10.8.0.2").at("10:00:00").await;
    agent.updates("jdoe").at("10:20:00").await;
    let newer = agent.connects("bob").virtual_ip("10.8.0.2").at("11:00:00").await;

    let superseded = inferred("superseded", "10:20:00", "11:00:00");
    let shown = session(&stack, older, superseded).await;
    assert_eq!(shown["duration_seconds"], 20 * 60);
    assert_eq!(shown["known_by"]["duration"], "at_least");
    assert_eq!(shown["known_by"]["end"]["superseded_by"], newer.to_string());
    session(&stack, newer, active()).await;
}

#[tokio::test]
async fn a_second_connect_of_a_user_supersedes_the_first_unless_the_server_allows_several() {
    let stack = stack().await;
    let (one, several) = (stack.agent("vpn-1"), stack.agent("vpn-2").with_duplicate_cn());
    for agent in [&one, &several] {
        let first = agent.connects("jdoe").virtual_ip("10.8.0.2").at("10:00:00").await;
        let second = agent.connects("jdoe").virtual_ip("10.8.0.3").at("11:00:00").await;
        session(&stack, second, active()).await;
        let expected = match std::ptr::eq(agent, &one) {
            true => inferred("superseded", "10:00:00", "11:00:00"),
            false => active(),
        };
        session(&stack, first, expected).await;
    }
}

#[tokio::test]
async fn a_reported_end_tells_its_reason_and_who_says_so() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let id = agent.connects("jdoe").at("12:00:00").await;
    let end = agent
        .disconnects("jdoe")
        .at("12:30:00")
        .with("disconnect_reason", "ping-restart")
        .with("duration_seconds", 1_799)
        .await;
    let shown = session(&stack, id, reported("12:30:00")).await;
    assert_eq!(shown["disconnect_reason"], "ping-restart");
    assert_eq!(shown["duration_seconds"], 1_799, "the daemon's own figure");
    let known_by = &shown["known_by"];
    assert_eq!(
        known_by["start"],
        json!({"source": "connect_event", "at": at("12:00:00"), "event_id": id})
    );
    assert_eq!(known_by["end"]["event_id"], end.to_string());
    assert_eq!(known_by["duration"], "daemon");
    let events: Vec<_> = shown["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| &event["event_type"])
        .collect();
    assert_eq!(events, ["SESSION_CONNECTED", "SESSION_DISCONNECTED"]);
}
