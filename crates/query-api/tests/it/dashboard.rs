//! `GET /api/analytics/dashboard`.

use domain::role::Role;
use serde_json::{Value, json};

use crate::rig::{Rig, ids};

#[tokio::test]
async fn the_dashboard_shows_what_happens_now_today_and_this_week() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    rig.database
        .sql(&format!(
            "INSERT INTO vpn_session (id, server_id, vpn_user_id, connected_at, last_seen_at, session_status, bytes_in, bytes_out,
                                      disconnected_at, end_not_after, ended_by)
             SELECT lpad(n::text, 32, '0')::uuid, {server}, {user}, started, started,
                    (CASE n WHEN 1 THEN 'active' ELSE 'disconnected' END)::session_status, 100, 200,
                    CASE n WHEN 1 THEN NULL ELSE started END, CASE n WHEN 1 THEN NULL ELSE started END,
                    CASE n WHEN 1 THEN NULL ELSE 'reported'::session_end END
             FROM generate_series(1, 9) AS n,
                  LATERAL (SELECT date_trunc('day', now()) - (n - 1) * interval '1 day' AS started) AS times"
        ))
        .await;
    rig.database
        .sql(
            "INSERT INTO usage_hour SELECT id, date_trunc('hour', now()), server_id, vpn_user_id, 100, 200
             FROM vpn_session WHERE session_status = 'active';
             UPDATE usage_progress SET recent_until = now()",
        )
        .await;
    let shown = rig.get("/api/analytics/dashboard").await;
    assert_eq!(
        (
            &shown["active_sessions"],
            &shown["total_users"],
            &shown["sessions_today"]
        ),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(
        (&shown["bytes_in_today"], &shown["bytes_out_today"]),
        (&json!(100), &json!(200))
    );
    let shown_server = &shown["servers"][0];
    assert_eq!(
        (
            &shown_server["id"],
            &shown_server["active_sessions"],
            &shown_server["status"]
        ),
        (&json!(server), &json!(1), &json!("never_seen"))
    );
    assert!(shown_server["health"]["cpu_percent"].is_null());
    assert_eq!(
        (
            &shown["top_users"][0]["common_name"],
            &shown["top_users"][0]["bytes_out"],
            &shown["top_users"][0]["sessions"]
        ),
        (&json!("jdoe"), &json!(200), &json!(7))
    );
    let hours = shown["usage_data"]["hours"].as_array().unwrap();
    assert_eq!((hours.len(), &hours[23]["active_at_end"]), (24, &json!(1)));
    assert!(shown["usage_data"]["bytes_as_of"].is_string());
    let days = shown["usage_data"]["days"].as_array().unwrap();
    assert_eq!(
        (days.len(), &days[0]["sessions"], &days[6]["bytes_out"]),
        (7, &json!(1), &json!(200))
    );
    let connects = json!({"sessions": shown["recent_connects"]});
    assert_eq!(ids(&connects), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let disconnects = json!({"sessions": shown["recent_disconnects"]});
    assert_eq!(ids(&disconnects), [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn only_an_admin_sees_how_many_portal_users_there_are() {
    let rig = Rig::start().await;
    assert_eq!(
        rig.get("/api/analytics/dashboard").await["total_portal_users"],
        Value::Null
    );
    let shown = rig
        .get_as(&[Role::Admin], "/api/analytics/dashboard")
        .await
        .expect(200)
        .json();
    assert_eq!(shown["total_portal_users"], 1);
}
