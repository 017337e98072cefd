//! `GET /api/sessions/{id}`: events, and how the facts are known.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::rig::{Rig, Row};

fn event(id: u128, kind: &str, at: &str, server: i64) -> Row {
    Row::of("vpn_event")
        .with("event_id", Uuid::from_u128(id))
        .with("event_time", at)
        .with("server_id", server)
        .with("event_type", kind)
        .with("received_at", at)
        .with("body", "[]")
}

fn of_session(row: Row, session: u128, user: i64, facts: &Value) -> Row {
    row.with("session_id", Uuid::from_u128(session))
        .with("vpn_user_id", user)
        .with("body", json!([facts]))
}

async fn detail(rig: &Rig, id: u128) -> Value {
    rig.get(&format!("/api/sessions/{}", Uuid::from_u128(id))).await
}

#[tokio::test]
async fn a_reported_session_shows_its_events_in_order_and_what_told_of_each_fact() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:30:00Z")
        .with("bytes_source", "final")
        .insert(&rig)
        .await;
    let facts = json!({"common_name": "jdoe", "bytes_in": 5, "bytes_out": 6});
    of_session(
        event(2, "SESSION_DISCONNECTED", "2026-02-13T12:30:00Z", server),
        1,
        user,
        &facts,
    )
    .insert(&rig)
    .await;
    let facts = json!({"common_name": "jdoe", "virtual_ip": "10.8.0.2"});
    of_session(
        event(1, "SESSION_CONNECTED", "2026-02-13T12:00:00Z", server),
        1,
        user,
        &facts,
    )
    .insert(&rig)
    .await;
    let shown = detail(&rig, 1).await;
    let kinds: Vec<&Value> = shown["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["event_type"])
        .collect();
    assert_eq!(kinds, ["SESSION_CONNECTED", "SESSION_DISCONNECTED"]);
    assert_eq!(shown["events"][0]["body"], facts, "as it was accepted");
    let known_by = &shown["known_by"];
    assert_eq!(known_by["start"]["source"], "connect_event");
    assert_eq!(known_by["start"]["event_id"], json!(Uuid::from_u128(1)));
    assert_eq!(known_by["end"]["ended_by"], "reported");
    assert_eq!(known_by["end"]["event_id"], json!(Uuid::from_u128(2)));
    assert_eq!(known_by["bytes"]["event_id"], json!(Uuid::from_u128(2)));
    assert_eq!(
        (&known_by["bytes"]["source"], &known_by["duration"]),
        (&json!("final"), &json!("times"))
    );
    assert_eq!(known_by["gaps"], json!([]));
}

#[tokio::test]
async fn an_end_that_a_snapshot_disproved_shows_its_interval_and_the_gaps_that_touch_it() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:10:00Z")
        .with("ended_by", "reconciled")
        .with("end_not_after", "2026-02-13T12:20:00Z")
        .insert(&rig)
        .await;
    event(9, "SESSION_SNAPSHOT", "2026-02-13T12:20:00Z", server)
        .insert(&rig)
        .await;
    for (from, after, before) in [
        (3, "2026-02-13T12:05:00Z", "2026-02-13T12:20:00Z"),
        (30, "2026-02-13T13:00:00Z", "2026-02-13T13:01:00Z"),
    ] {
        Row::of("event_gap")
            .with("server_id", server)
            .with("boot_id", Uuid::nil())
            .with("from_seq", from)
            .with("to_seq", from + 1)
            .with("after_time", after)
            .with("before_time", before)
            .insert(&rig)
            .await;
    }
    let known_by = &detail(&rig, 1).await["known_by"];
    let expected = json!({
        "ended_by": "reconciled", "not_before": "2026-02-13T12:10:00.000Z", "not_after": "2026-02-13T12:20:00.000Z",
        "event_id": Uuid::from_u128(9), "event_type": "SESSION_SNAPSHOT", "superseded_by": null,
    });
    assert_eq!(
        (&known_by["end"], &known_by["duration"]),
        (&expected, &json!("at_least"))
    );
    let gaps = known_by["gaps"].as_array().unwrap();
    assert_eq!(
        (gaps.len(), &gaps[0]["from_seq"], &gaps[0]["missing_events"]),
        (1, &json!(3), &json!(2))
    );
    assert_eq!(gaps[0]["boot_id"], Value::Null);
}

#[tokio::test]
async fn a_superseded_session_names_the_one_that_took_its_address() {
    let rig = Rig::start().await;
    let server = rig.server("vpn-1").await;
    let (jdoe, alice) = (rig.user("jdoe").await, rig.user("alice").await);
    Row::session(1, server, jdoe, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:00:00Z")
        .with("ended_by", "superseded")
        .with("end_not_after", "2026-02-13T12:20:00Z")
        .with("virtual_ip", "10.8.0.2")
        .insert(&rig)
        .await;
    Row::session(2, server, alice, "2026-02-13T12:20:00Z")
        .with("virtual_ip", "10.8.0.2")
        .insert(&rig)
        .await;
    let end = &detail(&rig, 1).await["known_by"]["end"];
    assert_eq!(end["superseded_by"], json!(Uuid::from_u128(2)));
}

#[tokio::test]
async fn a_session_that_is_not_there_is_404_and_an_id_that_is_none_is_400() {
    let rig = Rig::start().await;
    assert_eq!(
        rig.problem(404, &format!("/api/sessions/{}", Uuid::from_u128(5))).await["error"],
        "not_found"
    );
    assert_eq!(rig.problem(400, "/api/sessions/5").await["error"], "invalid_path");
}
