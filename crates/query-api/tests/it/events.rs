//! `GET /api/events/unmatched`, `GET /api/events/rejected`.

use domain::role::Role;
use serde_json::json;
use uuid::Uuid;

use crate::rig::{Rig, Row};

#[tokio::test]
async fn an_event_that_waits_for_its_session_is_shown_with_what_it_says() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    rig.server("vpn-2").await;
    let waiting = |id: u128, at: &str| {
        Row::of("unmatched_event")
            .with("event_id", Uuid::from_u128(id))
            .with("server_id", server)
            .with("vpn_user_id", user)
            .with("event_time", at)
            .with("event_type", "SESSION_DISCONNECTED")
    };
    waiting(1, "2026-02-13T12:30:00Z").insert(&rig).await;
    waiting(2, "2026-02-13T12:40:00Z").insert(&rig).await;
    Row::of("vpn_event")
        .with("event_id", Uuid::from_u128(2))
        .with("event_time", "2026-02-13T12:40:00Z")
        .with("server_id", server)
        .with("vpn_user_id", user)
        .with("event_type", "SESSION_DISCONNECTED")
        .with("seq", 4)
        .with("received_at", "2026-02-13T12:40:01Z")
        .with("body", json!([{"common_name": "jdoe"}]))
        .insert(&rig)
        .await;
    let list = rig.get("/api/events/unmatched").await;
    let expected = json!({
        "event_id": Uuid::from_u128(2), "event_type": "SESSION_DISCONNECTED", "event_time": "2026-02-13T12:40:00.000Z",
        "received_at": "2026-02-13T12:40:01.000Z", "server_instance": "vpn-1", "vpn_user_id": 1, "common_name": "jdoe",
        "boot_id": null, "seq": 4, "body": {"common_name": "jdoe"},
    });
    assert_eq!((&list["total"], &list["events"][0]), (&json!(2), &expected));
    let cursor = rig.get("/api/events/unmatched?per_page=1").await["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = rig
        .get(&format!("/api/events/unmatched?per_page=1&cursor={cursor}"))
        .await;
    assert_eq!(rest["events"][0]["event_id"], json!(Uuid::from_u128(1)));
    assert_eq!(rig.get("/api/events/unmatched?server_instance=vpn-2").await["total"], 0);
}

#[tokio::test]
async fn refused_events_are_shown_to_admins_newest_first() {
    let rig = Rig::start().await;
    rig.server("vpn-1").await;
    for (id, error) in [(1, "invalid_real_ip"), (2, "missing_field")] {
        Row::of("dead_letter")
            .with("id", Uuid::from_u128(id))
            .with("received_at", format!("2026-02-13T12:0{id}:00Z"))
            .with("server_name", "vpn-1")
            .with("event_id", "not-a-uuid")
            .with("error", error)
            .with("detail", "what is wrong")
            .with("event_json", "{\"broken\":")
            .with("request_id", "r-1")
            .insert(&rig)
            .await;
    }
    let get = async |query: &str| {
        rig.get_as(&[Role::Admin], &format!("/api/events/rejected{query}"))
            .await
            .expect(200)
            .json()
    };
    let list = get("").await;
    assert_eq!(
        (&list["total"], &list["events"][0]["error"]),
        (&json!(2), &json!("missing_field"))
    );
    assert_eq!(list["events"][0]["event_json"], "{\"broken\":");
    assert_eq!(get("?error=invalid_real_ip").await["total"], 1);
    assert_eq!(
        get("?server_instance=vpn-1&per_page=1&page=2").await["events"][0]["error"],
        "invalid_real_ip"
    );
}
