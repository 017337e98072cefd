//! `GET /api/vpn-users`, `/{id}`, `/{id}/sessions`.

use serde_json::{Value, json};

use crate::rig::{Rig, Row, ids};

/// jdoe has one active and one ended session, alice an ended one, bob none.
async fn three_users() -> Rig {
    let rig = Rig::start().await;
    let server = rig.server("vpn-1").await;
    let (jdoe, alice) = (rig.user("jdoe").await, rig.user("alice").await);
    rig.user("bob").await;
    rig.database
        .sql(
            "UPDATE vpn_user SET email = 'j.doe@example.com', user_type = 'internal', business_status = 'active',
                 cert_expiry_at = '2027-02-09T00:00:00Z', last_vpn_seen_at = now() WHERE common_name = 'jdoe';
             UPDATE vpn_user SET user_type = 'guest', business_status = 'suspended',
                 last_vpn_seen_at = now() - interval '10 days' WHERE common_name = 'alice'",
        )
        .await;
    Row::session(1, server, jdoe, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:30:00Z")
        .insert(&rig)
        .await;
    Row::session(2, server, jdoe, "2026-02-14T12:00:00Z").insert(&rig).await;
    Row::session(3, server, alice, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:30:00Z")
        .insert(&rig)
        .await;
    rig
}

async fn names(rig: &Rig, query: &str) -> Vec<String> {
    let list = rig.get(&format!("/api/vpn-users?{query}")).await;
    let users = list["users"].as_array().unwrap().iter();
    users
        .map(|user| user["common_name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn users_are_listed_by_name_with_counts_and_a_status_that_follows_from_sessions() {
    let rig = three_users().await;
    let list = rig.get("/api/vpn-users").await;
    assert_eq!(
        (&list["total"], &list["page"], &list["per_page"], &list["pages"]),
        (&json!(3), &json!(1), &json!(50), &json!(1))
    );
    let counts: Vec<Value> = list["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| {
            json!([
                user["common_name"],
                user["vpn_status"],
                user["active_sessions"],
                user["total_sessions"]
            ])
        })
        .collect();
    assert_eq!(
        counts,
        [
            json!(["alice", "inactive", 0, 1]),
            json!(["bob", "inactive", 0, 0]),
            json!(["jdoe", "active", 1, 2])
        ]
    );
}

#[tokio::test]
async fn each_filter_of_users_narrows_to_what_it_says() {
    let rig = three_users().await;
    let cases: [(&str, &[&str]); 14] = [
        ("search=J.DOE", &["jdoe"]),
        ("vpn_status=active", &["jdoe"]),
        ("vpn_status=inactive", &["alice", "bob"]),
        ("user_type=guest", &["alice"]),
        ("user_type=guest,internal", &["alice", "jdoe"]),
        ("business_status=suspended", &["alice"]),
        ("last_seen=24h", &["jdoe"]),
        ("last_seen=30d", &["alice", "jdoe"]),
        ("last_seen=never", &["bob"]),
        ("sort=-common_name", &["jdoe", "bob", "alice"]),
        ("sort=-last_vpn_seen_at", &["jdoe", "alice", "bob"]),
        ("sort=last_vpn_seen_at", &["alice", "jdoe", "bob"]),
        ("per_page=1&page=2", &["bob"]),
        ("vpn_status=active&user_type=guest", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(names(&rig, query).await, expected, "{query}");
    }
    for (query, parameter) in [
        ("vpn_status=on", "vpn_status"),
        ("business_status=x", "business_status"),
        ("last_seen=1y", "last_seen"),
        ("sort=id", "sort"),
    ] {
        rig.refuses(&format!("/api/vpn-users?{query}"), "invalid_parameter", parameter)
            .await;
    }
}

#[tokio::test]
async fn users_can_be_walked_by_cursor() {
    let rig = three_users().await;
    let list = rig.get("/api/vpn-users?per_page=2").await;
    let cursor = list["next_cursor"].as_str().unwrap();
    assert_eq!(names(&rig, &format!("per_page=2&cursor={cursor}")).await, ["jdoe"]);
    rig.refuses(
        &format!("/api/vpn-users?sort=email&cursor={cursor}"),
        "invalid_parameter",
        "cursor",
    )
    .await;
}

#[tokio::test]
async fn a_user_is_shown_with_address_routes_and_sessions() {
    let rig = three_users().await;
    rig.database
        .sql(
            "INSERT INTO vpn_user_ccd (vpn_user_id, server_id, ifconfig_ip, ifconfig_netmask)
             VALUES (1, 1, '10.8.100.10', '255.255.255.0');
             INSERT INTO vpn_user_route (vpn_user_id, server_id, route_type, network, netmask)
             VALUES (1, 1, 'push', '192.168.1.0', '255.255.255.0')",
        )
        .await;
    let user = rig.get("/api/vpn-users/1").await;
    assert_eq!(
        (&user["active_sessions"], &user["total_sessions"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(user["cert_expiry_at"], "2027-02-09T00:00:00.000Z");
    assert_eq!(
        (&user["ccd"]["ifconfig_ip"], &user["ccd"]["ifconfig_netmask"]),
        (&json!("10.8.100.10"), &json!("255.255.255.0"))
    );
    let route = json!({
        "server_instance": "vpn-1", "route_type": "push", "network": "192.168.1.0", "netmask": "255.255.255.0",
        "gateway": null, "comment": null, "for_all": false,
    });
    assert_eq!(user["routes"], json!([route]));
    assert_eq!(ids(&rig.get("/api/vpn-users/1/sessions").await), [2, 1]);
    assert_eq!(
        ids(&rig
            .get("/api/vpn-users/1/sessions?status=disconnected&to_date=2026-02-13")
            .await),
        [1]
    );
    assert_eq!(rig.get("/api/vpn-users/3").await["ccd"], Value::Null);
}

#[tokio::test]
async fn a_user_that_is_not_there_is_404() {
    let rig = three_users().await;
    for path in ["/api/vpn-users/9", "/api/vpn-users/9/sessions"] {
        assert_eq!(rig.problem(404, path).await["error"], "not_found");
    }
    rig.refuses("/api/vpn-users/1/sessions?user_id=2", "unknown_parameter", "user_id")
        .await;
}
