//! `GET /api/sessions/{id}/traffic`, `GET /api/sessions/{id}/related`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::rig::{Rig, Row, ids};

async fn reading(rig: &Rig, id: u128, at: &str, server: i64, user: i64, facts: Value) {
    Row::of("vpn_event")
        .with("event_id", Uuid::from_u128(id))
        .with("event_time", at)
        .with("server_id", server)
        .with("vpn_user_id", user)
        .with("session_id", Uuid::from_u128(1))
        .with("event_type", "SESSION_UPDATED")
        .with("received_at", at)
        .with("body", json!([facts]))
        .insert(rig)
        .await;
}

#[tokio::test]
async fn traffic_has_a_point_for_each_reading_and_its_rates() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z").insert(&rig).await;
    reading(
        &rig,
        11,
        "2026-02-13T12:01:00Z",
        server,
        user,
        json!({"bytes_in": 6_000, "bytes_out": 600}),
    )
    .await;
    reading(
        &rig,
        12,
        "2026-02-13T12:02:00Z",
        server,
        user,
        json!({"bytes_in": 1_200}),
    )
    .await;
    reading(
        &rig,
        13,
        "2026-02-13T12:03:00Z",
        server,
        user,
        json!({"real_ip": "203.0.113.5"}),
    )
    .await;
    let shown = rig.get(&format!("/api/sessions/{}/traffic", Uuid::from_u128(1))).await;
    let points = shown["points"].as_array().unwrap();
    assert_eq!((points.len(), &shown["readings"]), (3, &json!(2)));
    assert_eq!(
        (&points[0]["bytes_in"], &points[0]["rate_in"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(
        (&points[2]["bytes_in"], &points[2]["rate_in"]),
        (&json!(7_200), &json!(20.0)),
        "after a reset"
    );
    assert_eq!(points[2]["bytes_out"], 600, "as it was");
    assert_eq!(shown["average_rate_in"], 60.0);
    assert_eq!(
        shown["peak_rate_in"],
        json!({"bytes_per_second": 100.0, "from": "2026-02-13T12:00:00.000Z", "to": "2026-02-13T12:01:00.000Z"})
    );
}

#[tokio::test]
async fn a_session_without_readings_has_no_rates() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z").insert(&rig).await;
    let shown = rig.get(&format!("/api/sessions/{}/traffic", Uuid::from_u128(1))).await;
    assert_eq!(
        (&shown["average_rate_in"], &shown["peak_rate_out"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(shown["points"].as_array().unwrap().len(), 1);
    assert_eq!(
        rig.problem(404, &format!("/api/sessions/{}/traffic", Uuid::from_u128(2)))
            .await["error"],
        "not_found"
    );
}

#[tokio::test]
async fn related_sessions_share_the_user_or_an_address() {
    let rig = Rig::start().await;
    let (server, other) = (rig.server("vpn-1").await, rig.server("vpn-2").await);
    let (jdoe, alice) = (rig.user("jdoe").await, rig.user("alice").await);
    let session = |id, server, user, hour: u8| Row::session(id, server, user, &format!("2026-02-13T{hour}:00:00Z"));
    session(1, server, jdoe, 12)
        .with("virtual_ip", "10.8.0.2")
        .with("real_ip", "203.0.113.5")
        .insert(&rig)
        .await;
    session(2, other, jdoe, 13)
        .with("virtual_ip", "10.8.0.2")
        .insert(&rig)
        .await;
    session(3, server, alice, 14)
        .with("virtual_ip", "10.8.0.2")
        .insert(&rig)
        .await;
    session(4, server, alice, 15)
        .with("real_ip", "203.0.113.5")
        .insert(&rig)
        .await;
    let shown = rig.get(&format!("/api/sessions/{}/related", Uuid::from_u128(1))).await;
    let of = |kind: &str| ids(&json!({"sessions": shown[kind]}));
    assert_eq!(of("same_user"), [2]);
    assert_eq!(of("same_virtual_ip"), [3], "elsewhere it is another address");
    assert_eq!(of("same_real_ip"), [4]);
}
