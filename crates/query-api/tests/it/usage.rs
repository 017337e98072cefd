//! `GET /api/analytics/usage`, `/activity`, `/top-users`, `GET /api/vpn-users/{id}/activity`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::rig::{Rig, Row};

async fn flowed(rig: &Rig, session: u128, hour: &str, bytes: (i64, i64)) {
    let sql = format!(
        "INSERT INTO usage_hour SELECT id, '{hour}', server_id, vpn_user_id, {}, {} FROM vpn_session WHERE id = '{}'",
        bytes.0,
        bytes.1,
        Uuid::from_u128(session)
    );
    rig.database.sql(&sql).await;
}

/// jdoe on vpn-1 from the 12th, 23:30 until the 13th, 01:30; alice, a guest, on vpn-2 on the 13th from 10:00 until 10:10.
async fn two_days() -> Rig {
    let rig = Rig::start().await;
    let (one, two) = (rig.server("vpn-1").await, rig.server("vpn-2").await);
    let (jdoe, alice) = (rig.user("jdoe").await, rig.user("alice").await);
    rig.database
        .sql("UPDATE vpn_user SET user_type = 'guest' WHERE common_name = 'alice'")
        .await;
    Row::session(1, one, jdoe, "2026-02-12T23:30:00Z")
        .ended("2026-02-13T01:30:00Z")
        .insert(&rig)
        .await;
    Row::session(2, two, alice, "2026-02-13T10:00:00Z")
        .ended("2026-02-13T10:10:00Z")
        .insert(&rig)
        .await;
    flowed(&rig, 1, "2026-02-12T23:00:00Z", (10, 20)).await;
    flowed(&rig, 1, "2026-02-13T00:00:00Z", (100, 200)).await;
    flowed(&rig, 2, "2026-02-13T10:00:00Z", (7, 8)).await;
    rig
}

fn buckets(series: &Value) -> Vec<Value> {
    let row = |bucket: &Value| {
        json!([
            bucket["sessions"],
            bucket["vpn_users"],
            bucket["bytes_in"],
            bucket["bytes_out"]
        ])
    };
    series["buckets"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn sessions_count_on_the_day_of_their_connect_and_bytes_on_the_day_of_their_flow() {
    let rig = two_days().await;
    let shown = rig
        .get("/api/analytics/usage?from_date=2026-02-11&to_date=2026-02-13")
        .await;
    assert_eq!(
        (&shown["unit"], &shown["series"][0]["name"]),
        (&json!("day"), &Value::Null)
    );
    assert_eq!(
        buckets(&shown["series"][0]),
        [json!([0, 0, 0, 0]), json!([1, 1, 10, 20]), json!([1, 1, 107, 208])]
    );
    assert_eq!(shown["series"][0]["bytes_in"], 117);
    let of_server = rig
        .get("/api/analytics/usage?from_date=2026-02-13&to_date=2026-02-13&server_instance=vpn-2")
        .await;
    assert_eq!(buckets(&of_server["series"][0]), [json!([1, 1, 7, 8])]);
}

#[tokio::test]
async fn usage_is_split_by_server_and_by_user_type() {
    let rig = two_days().await;
    let by = async |group: &str| {
        let path = format!("/api/analytics/usage?group_by={group}&from_date=2026-02-12&to_date=2026-02-13");
        let shown = rig.get(&path).await;
        let series = shown["series"].as_array().unwrap().clone();
        series
            .iter()
            .map(|one| json!([one["name"], one["sessions"], one["bytes_in"]]))
            .collect::<Vec<_>>()
    };
    assert_eq!(by("server").await, [json!(["vpn-1", 1, 110]), json!(["vpn-2", 1, 7])]);
    assert_eq!(by("user_type").await, [json!([null, 1, 110]), json!(["guest", 1, 7])]);
}

#[tokio::test]
async fn every_hour_tells_what_was_active_at_most_and_at_its_end() {
    let rig = two_days().await;
    let path = "/api/analytics/activity?from_date=2026-02-12T23:45:00Z&to_date=2026-02-13T11:59:59Z";
    let shown = rig.get(path).await;
    let hours: Vec<Value> = shown["hours"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hour| {
            json!([
                hour["connects"],
                hour["disconnects"],
                hour["active"],
                hour["active_at_end"]
            ])
        })
        .collect();
    assert_eq!(hours.len(), 13);
    assert_eq!(
        hours[..4],
        [
            json!([1, 0, 1, 1]),
            json!([0, 0, 1, 1]),
            json!([0, 1, 1, 0]),
            json!([0, 0, 0, 0])
        ]
    );
    assert_eq!(hours[11..], [json!([1, 1, 1, 0]), json!([0, 0, 0, 0])]);
    let later = rig
        .get("/api/analytics/activity?from_date=2026-02-13T00:10:00Z&to_date=2026-02-13T00:20:00Z")
        .await;
    assert_eq!(later["hours"][0]["active"], 1, "it had connected before");
}

#[tokio::test]
async fn the_top_users_are_those_whose_bytes_flowed_within_the_range() {
    let rig = two_days().await;
    let top = async |query: &str| {
        let shown = rig.get(&format!("/api/analytics/top-users?{query}")).await;
        let users = shown["users"].as_array().unwrap().clone();
        users
            .iter()
            .map(|user| json!([user["common_name"], user["bytes_in"], user["sessions"]]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        top("from_date=2026-02-12&to_date=2026-02-13").await,
        [json!(["jdoe", 110, 1]), json!(["alice", 7, 1])]
    );
    assert_eq!(
        top("from_date=2026-02-13&to_date=2026-02-13&limit=1").await,
        [json!(["jdoe", 100, 0])]
    );
    assert_eq!(
        top("from_date=2026-02-13&to_date=2026-02-13&user_type=guest").await,
        [json!(["alice", 7, 1])]
    );
    rig.refuses("/api/analytics/top-users?limit=0", "invalid_parameter", "limit")
        .await;
}

#[tokio::test]
async fn a_users_days_end_today() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    let yesterday = rig
        .database
        .sql("SELECT date_trunc('day', now()) - interval '1 minute'")
        .await;
    Row::session(1, server, user, &yesterday).insert(&rig).await;
    rig.database.sql("UPDATE vpn_session SET last_seen_at = now()").await;
    let midnight = rig.database.sql("SELECT date_trunc('day', now())").await;
    flowed(&rig, 1, &midnight, (5, 6)).await;
    let shown = rig.get(&format!("/api/vpn-users/{user}/activity?days=3")).await;
    let days: Vec<Value> = shown["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| json!([day["sessions"], day["bytes_in"]]))
        .collect();
    assert_eq!(days, [json!([0, 0]), json!([1, 0]), json!([0, 5])]);
    let detail = rig.get(&format!("/api/vpn-users/{user}")).await;
    assert_eq!(detail["traffic_30_days"], json!({"bytes_in": 5, "bytes_out": 6}));
    assert_eq!(detail["recent_sessions"].as_array().unwrap().len(), 1);
    assert_eq!(
        rig.problem(404, "/api/vpn-users/999/activity").await["error"],
        "not_found"
    );
}

#[tokio::test]
async fn ranges_that_are_none_are_refused() {
    let rig = Rig::start().await;
    for path in ["usage", "activity", "top-users"] {
        for query in [
            "from_date=2026-02-14&to_date=2026-02-13",
            "from_date=0000-01-01",
            "from_date=9999-12-31",
        ] {
            rig.refuses(
                &format!("/api/analytics/{path}?{query}"),
                "invalid_parameter",
                "from_date",
            )
            .await;
        }
        rig.get(&format!(
            "/api/analytics/{path}?from_date=9999-12-30&to_date=9999-12-30"
        ))
        .await;
    }
    rig.refuses("/api/analytics/usage?period=hour", "invalid_parameter", "period")
        .await;
}
