//! Rule 5: what ends, or opens, the sessions of a whole server.

use serde_json::json;
use test_support::new_uuid;

use super::{active, at, inferred, reported, server, session, stack};

#[tokio::test]
async fn a_start_a_stop_and_a_new_boot_of_the_daemon_end_every_older_session() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let (first_boot, second_boot) = (new_uuid(), new_uuid());
    agent.boots(first_boot);
    let jdoe = agent.connects("jdoe").at("10:00:00").await;
    let stop = agent.server_stopped().at("10:30:00").await;
    let bob = agent.connects("bob").at("10:40:00").await;
    let start = agent.server_started().at("11:00:00").await;
    let carol = agent.connects("carol").at("11:10:00").await;
    agent.boots(second_boot);
    let dora = agent.connects("dora").at("12:00:00").await;

    let stopped = session(&stack, jdoe, inferred("server_restart", "10:00:00", "10:30:00")).await;
    assert_eq!(stopped["known_by"]["end"]["event_id"], stop.to_string());
    let started = session(&stack, bob, inferred("server_restart", "10:40:00", "11:00:00")).await;
    assert_eq!(started["known_by"]["end"]["event_id"], start.to_string());
    session(&stack, carol, inferred("server_restart", "11:10:00", "12:00:00")).await;
    session(&stack, dora, active()).await;
    let boots = json!([{"boot_id": second_boot, "started_at": at("12:00:00")},
        {"boot_id": first_boot, "started_at": at("10:00:00")}]);
    server(
        &stack,
        "vpn-1",
        json!({"boot_id": second_boot, "boots": boots, "active_sessions": 1}),
    )
    .await;
}

#[tokio::test]
async fn a_boot_heard_of_late_ends_the_sessions_that_it_must_have_ended() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let (first_boot, second_boot) = (new_uuid(), new_uuid());
    agent.boots(second_boot);
    let newer = agent.connects("bob").at("11:00:00").await;
    agent.boots(first_boot);
    let older = agent.connects("jdoe").at("10:00:00").await;
    session(&stack, older, inferred("server_restart", "10:00:00", "11:00:00")).await;
    session(&stack, newer, active()).await;
}

#[tokio::test]
async fn a_snapshot_ends_what_it_does_not_list_and_proves_what_it_lists() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let gone = agent.connects("jdoe").at("10:00:00").await;
    let there = agent.connects("bob").at("10:00:00").await;
    let list = agent
        .snapshot(json!([{"common_name": "bob", "bytes_in": 70}]))
        .at("10:05:00")
        .await;

    let shown = session(&stack, gone, inferred("reconciled", "10:00:00", "10:05:00")).await;
    assert_eq!(shown["known_by"]["end"]["event_id"], list.to_string());
    assert_eq!(shown["known_by"]["end"]["event_type"], "SESSION_SNAPSHOT");
    let shown = session(&stack, there, active()).await;
    assert_eq!(
        (&shown["last_seen_at"], &shown["bytes_in"]),
        (&at("10:05:00").into(), &70.into())
    );

    // A later list proves that the first one was wrong.
    let both = json!([{"common_name": "bob"}, {"common_name": "jdoe", "session_id": gone}]);
    agent.snapshot(both).at("10:10:00").await;
    session(&stack, gone, active()).await;
}

#[tokio::test]
async fn a_snapshot_opens_a_session_that_nobody_reported_until_its_connect_arrives() {
    let stack = stack().await;
    let (agent, api) = (stack.agent("vpn-1"), stack.api());
    let entry = json!([{"common_name": "jdoe", "virtual_ip": "10.8.0.2", "connected_at": "2026-02-13T09:00:00Z"}]);
    agent.snapshot(entry.clone()).at("10:00:00").await;
    agent.snapshot(entry).at("10:05:00").await;

    let known = json!({"total": 1, "sessions": [{"common_name": "jdoe", "connected_at": at("09:00:00"),
        "last_seen_at": at("10:05:00"), "opened_by_snapshot": true}]});
    let list = api.shows("/api/sessions", &known).await;
    let id = list["sessions"][0]["id"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("a UUID");
    let shown = session(&stack, id, active()).await;
    assert_eq!(shown["known_by"]["start"]["source"], "snapshot");

    let connect = agent.connects("jdoe").virtual_ip("10.8.0.2").at("09:00:00").await;
    agent.disconnects("jdoe").at("11:00:00").await;
    session(&stack, connect, reported("11:00:00")).await;
    api.shows(
        "/api/sessions",
        &json!({"total": 1, "sessions": [{"id": connect, "opened_by_snapshot": false}]}),
    )
    .await;
}
