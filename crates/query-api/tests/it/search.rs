//! `GET /api/search`.

use serde_json::json;
use uuid::Uuid;

use crate::rig::{Rig, Row, ids};

async fn found(rig: &Rig, q: &str) -> serde_json::Value {
    rig.get(&format!("/api/search?q={q}")).await
}

#[tokio::test]
async fn a_few_characters_find_users_servers_sessions_and_addresses() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-berlin").await, rig.user("jdoe@example.com").await);
    rig.user("berlin.user").await;
    let id = 0x0189_a1b2_c3d4_7e5f_8a9b_0c1d_2e3f_4a5b;
    Row::session(id, server, user, "2026-02-13T12:00:00Z")
        .with("virtual_ip", "10.8.0.23")
        .insert(&rig)
        .await;
    let shown = found(&rig, "berlin").await;
    assert_eq!(shown["vpn_users"][0]["common_name"], "berlin.user");
    assert_eq!(
        (&shown["servers"][0]["name"], &shown["servers"][0]["status"]),
        (&json!("vpn-berlin"), &json!("never_seen"))
    );
    assert_eq!((&shown["sessions"], &shown["address"]), (&json!([]), &json!(null)));
    for q in ["0189a1b2", "0189a1b2-c3d4", &Uuid::from_u128(id).to_string()] {
        assert_eq!(ids(&found(&rig, q).await), [id], "{q}");
    }
    assert_eq!(
        ids(&found(&rig, "0189a1b").await),
        [0u128; 0],
        "seven digits are too few"
    );
    let shown = found(&rig, "10.8.0.23").await;
    assert_eq!(shown["address"], json!({"ip": "10.8.0.23", "is_network": false}));
    assert_eq!(ids(&shown), [id], "whoever has it now");
    assert_eq!(
        found(&rig, "10.8.0.0/24").await["address"],
        json!({"ip": "10.8.0.0/24", "is_network": true})
    );
}

#[tokio::test]
async fn users_that_begin_with_the_text_come_first_and_wildcards_are_characters() {
    let rig = Rig::start().await;
    for name in ["xann", "ann_2", "annz", "a%b"] {
        rig.user(name).await;
    }
    let names = async |q: &str| {
        let shown = found(&rig, q).await;
        let users = shown["vpn_users"].as_array().unwrap().clone();
        users
            .iter()
            .map(|user| user["common_name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("ANN").await, ["ann_2", "annz", "xann"]);
    assert_eq!(names("n_").await, ["ann_2"]);
    assert_eq!(names("%25b").await, ["a%b"]);
}

#[tokio::test]
async fn a_search_needs_two_characters() {
    let rig = Rig::start().await;
    for query in ["", "?q=a", "?q=%20a%20"] {
        rig.refuses(&format!("/api/search{query}"), "invalid_parameter", "q")
            .await;
    }
}
