//! `GET /api/servers`, `/{id}`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::rig::{Rig, Row};

async fn servers() -> Rig {
    let rig = Rig::start().await;
    for name in ["healthy", "never", "retired", "silent", "skewed"] {
        rig.server(name).await;
    }
    rig.database
        .sql(
            "UPDATE vpn_server SET retired_at = now() WHERE name = 'retired';
             INSERT INTO vpn_server_state (server_id, last_heard_at, last_heartbeat_at, clock_skew_ms, boot_id, cpu_percent)
             SELECT id, now() - CASE name WHEN 'silent' THEN interval '1 day' ELSE interval '0' END, now(),
                    CASE name WHEN 'skewed' THEN -61000 ELSE 12 END, '00000000-0000-0000-0000-0000000000b0', 12.5
             FROM vpn_server WHERE name <> 'never'",
        )
        .await;
    rig
}

#[tokio::test]
async fn every_server_is_listed_with_how_it_is_doing() {
    let rig = servers().await;
    let list = rig.get("/api/servers").await;
    let shown: Vec<Value> = list["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| json!([s["name"], s["status"]]))
        .collect();
    let expected = [
        json!(["healthy", "healthy"]),
        json!(["never", "never_seen"]),
        json!(["silent", "silent"]),
        json!(["skewed", "degraded"]),
    ];
    assert_eq!((shown, &list["total"]), (expected.to_vec(), &json!(4)));
    let skewed = &list["servers"][3];
    assert_eq!(
        (
            &skewed["clock_skew_ms"],
            &skewed["clock_is_skewed"],
            &skewed["troubles"]
        ),
        (&json!(-61000), &json!(true), &json!(["clock_skew"]))
    );
    assert_eq!(skewed["health"]["cpu_percent"], 12.5);
    for (query, total) in [
        ("status=healthy,silent", 2),
        ("search=EVER", 1),
        ("search=e&status=retired", 1),
    ] {
        assert_eq!(
            rig.get(&format!("/api/servers?{query}")).await["total"],
            total,
            "{query}"
        );
    }
    rig.refuses("/api/servers?status=fine", "invalid_parameter", "status")
        .await;
}

#[tokio::test]
async fn a_server_shows_its_active_sessions_boots_and_gaps() {
    let rig = servers().await;
    let user = rig.user("jdoe").await;
    Row::session(1, 1, user, "2026-02-13T12:00:00Z").insert(&rig).await;
    Row::session(2, 1, user, "2026-02-13T11:00:00Z")
        .ended("2026-02-13T11:30:00Z")
        .insert(&rig)
        .await;
    Row::of("server_boot")
        .with("server_id", 1)
        .with("boot_id", Uuid::from_u128(0xb0))
        .with("started_at", "2026-02-13T10:00:00Z")
        .with("highest_seq", 20)
        .insert(&rig)
        .await;
    Row::of("event_gap")
        .with("server_id", 1)
        .with("boot_id", Uuid::from_u128(0xb0))
        .with("from_seq", 5)
        .with("to_seq", 9)
        .with("before_time", "2026-02-13T10:30:00Z")
        .insert(&rig)
        .await;
    let server = rig.get("/api/servers/1").await;
    assert_eq!(server["active_sessions"], 1);
    assert_eq!(
        (&server["boots"][0]["boot_id"], &server["boots"][0]["highest_seq"]),
        (&server["boot_id"], &json!(20))
    );
    let expected = json!({"ranges": 1, "missing_events": 5, "latest_before_time": "2026-02-13T10:30:00.000Z"});
    assert_eq!(server["gaps"], expected);
    assert_eq!(
        (&server["gap_list"][0]["from_seq"], &server["gap_list"][0]["after_time"]),
        (&json!(5), &Value::Null)
    );
    assert_eq!(server["status"], "healthy", "the gap is old");
    assert_eq!(rig.problem(404, "/api/servers/99").await["error"], "not_found");
}
