//! Rules 1 and 2: the order, the batches and the number of times in which events arrive change nothing.

use serde_json::{Value, json};
use test_support::{Agent, Stack, StoryEvent};

use super::{reported, session, stack};

#[tokio::test]
async fn what_is_sent_again_is_counted_as_duplicates_and_changes_nothing() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let connect = agent.connects("jdoe").at("12:00:00");
    let id = connect.event_id();
    let update = agent.updates("jdoe").at("12:10:00").bytes(10, 20);
    let disconnect = agent.disconnects("jdoe").at("12:30:00").bytes(30, 40);
    let day = json!([connect.json(), update.json(), disconnect.json()]);
    let first = agent.post_events(day.clone()).await.expect(200).json();
    assert_eq!(counts(&first), (1, 2, 0), "{first}");
    let before = session(&stack, id, reported("12:30:00")).await;

    let again = agent.post_events(day).await.expect(200).json();
    assert_eq!(counts(&again), (0, 0, 3), "{again}");
    assert_eq!(stack.api().get(&format!("/api/sessions/{id}")).await, before);
}

#[tokio::test]
async fn a_connect_is_known_for_ever_even_after_its_event_was_removed() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let connect = agent.connects("jdoe").at("12:00:00");
    let id = connect.clone().await;
    agent.disconnects("jdoe").at("12:30:00").await;
    session(&stack, id, reported("12:30:00")).await;
    stack.database().sql("DELETE FROM vpn_event").await;

    let again = agent.sends([connect]).await.expect(200).json();
    assert_eq!(counts(&again), (0, 0, 1), "{again}");
    session(&stack, id, reported("12:30:00")).await;
    assert_eq!(stack.api().get("/api/sessions").await["total"], 1);
}

#[tokio::test]
async fn a_day_told_forwards_backwards_and_twice_is_the_same_day() {
    let stack = stack().await;
    let (forwards, backwards, twice) = (stack.agent("vpn-1"), stack.agent("vpn-2"), stack.agent("vpn-3"));
    forwards.sends(a_day(&forwards)).await;
    for event in a_day(&backwards).into_iter().rev() {
        event.await;
    }
    let events = a_day(&twice);
    for pair in events.windows(2).rev() {
        twice.sends(pair.to_vec()).await;
    }

    let expected = sessions_of(&stack, "vpn-1").await;
    assert_eq!(expected.len(), 4);
    for other in ["vpn-2", "vpn-3"] {
        assert_eq!(sessions_of(&stack, other).await, expected, "{other}");
    }
}

fn a_day(agent: &Agent) -> Vec<StoryEvent> {
    vec![
        agent.connects("jdoe").virtual_ip("10.8.0.2").at("08:00:00"),
        agent.updates("jdoe").bytes(10, 100).at("08:30:00"),
        agent.connects("bob").virtual_ip("10.8.0.3").at("08:40:00"),
        agent.connects("carol").virtual_ip("10.8.0.2").at("09:00:00"),
        agent.updates("bob").bytes(50, 500).at("09:10:00"),
        agent.updates("bob").bytes(20, 200).at("09:20:00"),
        agent.snapshot(json!([{"common_name": "bob"}])).at("09:30:00"),
        agent.disconnects("bob").at("10:00:00"),
        agent.server_stopped().at("18:00:00"),
        agent.connects("jdoe").virtual_ip("10.8.0.9").at("17:00:00"),
    ]
}

/// A server's sessions in the order of their beginnings, without what differs between servers.
async fn sessions_of(stack: &Stack, server: &str) -> Vec<Value> {
    let path = format!("/api/sessions?server_instance={server}&sort=connected_at");
    let list = stack.api().shows(&path, &json!({"total": 4})).await;
    let mut sessions = list["sessions"].as_array().expect("a list").clone();
    for session in &mut sessions {
        let fields = session.as_object_mut().expect("a session");
        for name in ["id", "server_instance", "server_key", "version"] {
            fields.remove(name);
        }
    }
    sessions
}

fn counts(answer: &Value) -> (u64, u64, u64) {
    let count = |name: &str| answer[name].as_u64().expect("a count");
    (
        count("sessions_created"),
        count("sessions_updated"),
        count("duplicates"),
    )
}
