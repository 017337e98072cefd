//! What the first pages of the portal show.

use serde_json::json;
use test_support::{Stack, eventually};

use super::{active, session, stack};

#[tokio::test]
async fn the_dashboard_shows_what_happens_now() {
    let stack = Stack::builder()
        .with("session-processor", "USAGE_COUNT_SECONDS", "1")
        .with("query-api", "USAGE_CACHE_SECONDS", "0")
        .start()
        .await;
    let agent = stack.agent("vpn-1");
    let here = agent.connects("jdoe").bytes(10, 20).at(&agent.now()).await;
    let gone = agent.connects("bob").bytes(1, 2).at(&agent.now()).await;
    agent.disconnects("bob").at(&agent.now()).await;
    session(&stack, here, active()).await;
    session(&stack, gone, json!({"session_status": "disconnected"})).await;

    let dashboard = stack.api().get("/api/analytics/dashboard").await;
    let expected = json!({
        "active_sessions": 1, "total_users": 2, "total_portal_users": 1,
        "servers": [{"name": "vpn-1", "active_sessions": 1, "status": "healthy"}],
        "recent_connects": [{"id": gone}, {"id": here}],
        "recent_disconnects": [{"id": gone}],
    });
    assert!(test_support::contains(&dashboard, &expected), "{dashboard:#}");
    // Bytes are counted off the path of the events, a moment later.
    eventually("the bytes of the week to be counted", async || {
        let dashboard = stack.api().get("/api/analytics/dashboard").await;
        let days = dashboard["usage_data"]["days"].as_array().expect("days").clone();
        let sum = |field: &str| days.iter().filter_map(|day| day[field].as_i64()).sum::<i64>();
        ((days.len(), sum("sessions"), sum("bytes_in"), sum("bytes_out")) == (7, 2, 11, 22)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_vpn_user_comes_into_being_with_its_first_event() {
    let stack = stack().await;
    let (agent, api) = (stack.agent("vpn-1"), stack.api());
    let id = agent.connects("jdoe@company.com").bytes(10, 20).at("10:00:00").await;
    let list = api.shows("/api/vpn-users?search=company", &json!({"total": 1})).await;
    let user = list["users"][0]["id"].as_i64().expect("an id");
    let detail = json!({"common_name": "jdoe@company.com", "vpn_status": "active", "active_sessions": 1, "total_sessions": 1,
        "ccd": null, "ccds": [], "routes": [], "full_name": null, "last_vpn_seen_at": super::at("10:00:00")});
    api.shows(&format!("/api/vpn-users/{user}"), &detail).await;
    api.shows(
        &format!("/api/vpn-users/{user}/sessions"),
        &json!({"total": 1, "sessions": [{"id": id}]}),
    )
    .await;

    agent.disconnects("jdoe@company.com").at("11:00:00").await;
    let gone = json!({"vpn_status": "inactive", "active_sessions": 0, "last_vpn_seen_at": super::at("11:00:00")});
    api.shows(&format!("/api/vpn-users/{user}"), &gone).await;
}

#[tokio::test]
async fn a_heartbeat_shows_how_the_server_is_doing() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let measured = json!({"cpu_percent": 12.5, "memory_percent": 40.0, "load_1m": 0.5, "openvpn_version": "2.6.14",
        "uptime_seconds": 3_600, "session_count": 3, "dco": false, "agent_version": "1.0.0", "spool_depth": 7});
    let reply = agent.heartbeat(measured.clone()).await;
    assert!(reply.status.is_success(), "{}", reply.body);
    super::server(&stack, "vpn-1", json!({"status": "healthy", "health": measured})).await;
    agent
        .heartbeat(json!({"cpu_percent": 99.0, "oldest_unsent_at": "2026-02-13T12:00:00Z"}))
        .await;
    let troubled = json!({"status": "degraded", "troubles": ["spool_backlog", "overloaded"]});
    super::server(&stack, "vpn-1", troubled).await;
}
