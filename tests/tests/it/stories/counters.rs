//! Rule 8: counters never go down, and unknown is not zero.

use serde_json::json;

use super::{active, at, reported, session, stack};

#[tokio::test]
async fn a_reset_of_the_counters_is_added_to_what_was_counted_before() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let id = agent.connects("jdoe").at("10:00:00").await;
    agent.updates("jdoe").bytes(100, 1_000).at("10:01:00").await;
    agent.updates("jdoe").bytes(20, 1_500).at("10:02:00").await;
    agent.updates("jdoe").bytes(50, 1_600).at("10:03:00").await;
    let counted = session(
        &stack,
        id,
        json!({"bytes_in": 150, "bytes_out": 1_600, "bytes_source": "last_poll"}),
    )
    .await;
    let known_by = json!({"source": "last_poll", "as_of": at("10:03:00"), "counters_were_reset": true});
    assert!(
        test_support::contains(&counted["known_by"]["bytes"], &known_by),
        "{counted}"
    );

    agent
        .disconnects("jdoe")
        .bytes(60, 1_700)
        .with("bytes_source", "final")
        .at("10:04:00")
        .await;
    let ended = session(&stack, id, reported("10:04:00")).await;
    assert_eq!(
        (&ended["bytes_in"], &ended["bytes_out"], &ended["bytes_source"]),
        (&160.into(), &1_700.into(), &"final".into())
    );
}

#[tokio::test]
async fn bytes_that_nobody_counted_stay_unknown() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let silent = agent.connects("jdoe").at("10:00:00").await;
    agent.disconnects("jdoe").at("10:30:00").await;
    let missing = agent.connects("bob").at("10:00:00").await;
    agent
        .disconnects("bob")
        .with("bytes_source", "missing")
        .at("10:30:00")
        .await;
    for (id, source) in [(silent, json!(null)), (missing, json!("missing"))] {
        let unknown =
            json!({"session_status": "disconnected", "bytes_in": null, "bytes_out": null, "bytes_source": source});
        session(&stack, id, unknown).await;
    }
}

#[tokio::test]
async fn the_real_address_is_the_current_one_and_other_facts_stay_once_known() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let client = json!({"platform": "linux", "version": "2.6.14"});
    let id = agent
        .connects("jdoe")
        .with("client", client.clone())
        .with("cid", 7)
        .at("10:00:00")
        .await;
    agent
        .updates("jdoe")
        .real("198.51.100.7", 4_000)
        .with("username", "John")
        .at("10:10:00")
        .await;
    let moved = json!({"real_ip": "198.51.100.7", "real_port": 4_000, "username": "John", "cid": 7, "client": client,
        "last_seen_at": at("10:10:00")});
    session(&stack, id, moved).await;
    session(&stack, id, active()).await;
}
