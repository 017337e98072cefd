//! `GET /api/sessions`: filters, order, pages.

use serde_json::{Value, json};

use crate::rig::{Rig, Row, ids};

/// Three sessions on two servers: 1 ended, 2 and 3 active.
async fn three_sessions() -> Rig {
    let rig = Rig::start().await;
    let (first, second) = (rig.server("vpn-1").await, rig.server("vpn-2").await);
    let jdoe = rig.user("jdoe@company.com").await;
    let alice = rig.user("alice_100%").await;
    rig.database
        .sql("UPDATE vpn_user SET user_type = 'contractor', full_name = 'Alice Smith' WHERE common_name LIKE 'alice%'")
        .await;
    Row::session(1, first, jdoe, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:30:00Z")
        .with("real_ip", "203.0.113.5")
        .with("real_port", 1194)
        .with("virtual_ip", "10.8.0.2")
        .with("bytes_in", 1000)
        .with("bytes_out", 2000)
        .with("bytes_source", "final")
        .with("duration_seconds", 1799)
        .with("disconnect_reason", "SIGTERM")
        .with("client_platform", "linux")
        .insert(&rig)
        .await;
    Row::session(2, second, jdoe, "2026-02-14T08:00:00Z")
        .with("real_ip", "2001:db8::5")
        .with("virtual_ip", "10.9.0.2")
        .with("virtual_ip6", "fd00::2")
        .with("bytes_in", 10)
        .insert(&rig)
        .await;
    Row::session(3, second, alice, "2026-02-15T08:00:00Z")
        .with("virtual_ip", "10.9.0.3")
        .insert(&rig)
        .await;
    rig
}

async fn found(rig: &Rig, query: &str) -> Vec<u128> {
    ids(&rig.get(&format!("/api/sessions?{query}")).await)
}

#[tokio::test]
async fn a_session_is_shown_with_everything_that_is_known_and_null_for_the_rest() {
    let rig = three_sessions().await;
    let list = rig.get("/api/sessions").await;
    assert_eq!(ids(&list), [3, 2, 1], "the newest connect comes first");
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000001",
        "common_name": "jdoe@company.com", "vpn_user_id": 1, "user_type": null,
        "server_instance": "vpn-1", "server_key": 1,
        "real_ip": "203.0.113.5", "real_port": 1194, "virtual_ip": "10.8.0.2", "virtual_ip6": null,
        "connected_at": "2026-02-13T12:00:00.000Z", "last_seen_at": "2026-02-13T12:30:00.000Z",
        "disconnected_at": "2026-02-13T12:30:00.000Z", "end_not_after": "2026-02-13T12:30:00.000Z",
        "duration_seconds": 1799, "bytes_in": 1000, "bytes_out": 2000, "bytes_source": "final",
        "session_status": "disconnected", "ended_by": "reported", "disconnect_reason": "SIGTERM",
        "opened_by_snapshot": false, "username": null, "cid": null,
        "client": {"platform": "linux", "version": null, "gui": null}, "cipher": null, "version": 1,
    });
    assert_eq!(list["sessions"][2], expected);
    let alice = &list["sessions"][0];
    assert_eq!(
        (&alice["user_type"], &alice["bytes_in"], &alice["client"]),
        (&json!("contractor"), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_list_says_how_many_there_are_and_where_it_goes_on() {
    let rig = three_sessions().await;
    let list = rig.get("/api/sessions?per_page=2").await;
    assert_eq!((&list["total"], &list["total_is_estimate"]), (&json!(3), &json!(false)));
    assert_eq!(
        (&list["page"], &list["per_page"], &list["pages"]),
        (&json!(1), &json!(2), &json!(2))
    );
    let cursor = list["next_cursor"].as_str().unwrap();
    let rest = rig.get(&format!("/api/sessions?per_page=2&cursor={cursor}")).await;
    assert_eq!(
        (ids(&rest), &rest["page"], &rest["next_cursor"]),
        (vec![1], &Value::Null, &Value::Null)
    );
    assert_eq!(found(&rig, "per_page=2&page=2").await, [1]);
    assert_eq!(found(&rig, "per_page=2&page=3").await, [] as [u128; 0]);
    assert_eq!(found(&rig, "page=1000000000&per_page=500").await, [] as [u128; 0]);
}

#[tokio::test]
async fn each_filter_narrows_to_what_it_says() {
    let rig = three_sessions().await;
    let cases: [(&str, &[u128]); 26] = [
        ("status=active", &[3, 2]),
        ("status=disconnected", &[1]),
        ("status=timeout", &[]),
        ("status=active,disconnected", &[3, 2, 1]),
        ("status=active&status=timeout", &[3, 2]),
        ("server_instance=vpn-1", &[1]),
        ("server_instance=vpn-1,vpn-2", &[3, 2, 1]),
        ("server_instance=vpn-1&server_instance=vpn-2&status=active", &[3, 2]),
        ("user_id=1", &[2, 1]),
        ("user_id=99", &[]),
        ("user_type=contractor", &[3]),
        ("user_type=contractor&user_id=1", &[]),
        ("search=JDOE", &[2, 1]),
        ("search=smith", &[3]),
        ("search=_100%25", &[3]),
        ("search=%25", &[3]),
        ("search=nobody", &[]),
        ("ip=10.8.0.2", &[1]),
        ("ip=203.0.113.0/24", &[1]),
        ("ip=10.9.0.0/16", &[3, 2]),
        ("ip=fd00::2", &[2]),
        ("ip=2001:db8::/32", &[2]),
        ("from_date=2026-02-14", &[3, 2]),
        ("to_date=2026-02-14", &[2, 1]),
        ("from_date=2026-02-13T12:00:00Z&to_date=2026-02-13T12:00:00Z", &[1]),
        ("from_date=2026-02-14T10:00:00%2B02:00&to_date=2026-02-14", &[2]),
    ];
    for (query, expected) in cases {
        let list = rig.get(&format!("/api/sessions?{query}")).await;
        assert_eq!(
            (ids(&list).as_slice(), &list["total"]),
            (expected, &json!(expected.len())),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_value_that_is_not_understood_is_refused_and_named() {
    let rig = three_sessions().await;
    let cases = [
        ("status=aktiv", "status"),
        ("status=active,", "status"),
        ("status=", "status"),
        ("server_instance=vpn-9", "server_instance"),
        ("user_id=jdoe", "user_id"),
        ("user_type=boss", "user_type"),
        ("search=%00", "search"),
        ("ip=10.8.0", "ip"),
        ("ip=10.8.0.0/33", "ip"),
        ("from_date=yesterday", "from_date"),
        ("to_date=2026-02-30", "to_date"),
        ("to_date=2026-02-13T12:00:00", "to_date"),
        ("sort=size", "sort"),
        ("page=0", "page"),
        ("page=two", "page"),
        ("per_page=501", "per_page"),
        ("per_page=-1", "per_page"),
        ("page=1&page=2", "page"),
        ("cursor=abc", "cursor"),
    ];
    for (query, parameter) in cases {
        rig.refuses(&format!("/api/sessions?{query}"), "invalid_parameter", parameter)
            .await;
    }
}

#[tokio::test]
async fn a_cursor_goes_with_neither_a_page_nor_another_order() {
    let rig = three_sessions().await;
    let list = rig.get("/api/sessions?per_page=1").await;
    let cursor = list["next_cursor"].as_str().unwrap();
    for query in ["page=1", "sort=connected_at", "sort=-bytes_in"] {
        rig.refuses(
            &format!("/api/sessions?{query}&cursor={cursor}"),
            "invalid_parameter",
            "cursor",
        )
        .await;
    }
}

#[tokio::test]
async fn any_column_sorts_and_what_is_unknown_comes_last() {
    let rig = three_sessions().await;
    let cases: [(&str, [u128; 3]); 11] = [
        ("connected_at", [1, 2, 3]),
        ("-connected_at", [3, 2, 1]),
        ("bytes_in", [2, 1, 3]),
        ("-bytes_in", [1, 2, 3]),
        ("common_name", [3, 1, 2]),
        ("-common_name", [2, 1, 3]),
        ("-server_instance", [3, 2, 1]),
        ("virtual_ip", [1, 2, 3]),
        ("-real_ip", [2, 1, 3]),
        ("duration_seconds", [1, 3, 2]),
        ("session_status", [2, 3, 1]),
    ];
    for (sort, expected) in cases {
        assert_eq!(found(&rig, &format!("sort={sort}")).await, expected, "{sort}");
        let pages = [
            found(&rig, &format!("sort={sort}&per_page=2")).await,
            found(&rig, &format!("sort={sort}&per_page=2&page=2")).await,
        ];
        assert_eq!(pages.concat(), expected, "{sort} by pages");
    }
}

#[tokio::test]
async fn a_walk_by_cursor_meets_every_session_once_also_those_of_one_instant() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    for id in 1..=7 {
        let connected_at = if id < 6 {
            "2026-02-13T12:00:00Z"
        } else {
            "2026-02-13T13:00:00.123456Z"
        };
        Row::session(id, server, user, connected_at).insert(&rig).await;
    }
    for (sort, expected) in [
        ("connected_at", [1, 2, 3, 4, 5, 6, 7]),
        ("-connected_at", [7, 6, 5, 4, 3, 2, 1]),
    ] {
        let mut walked = Vec::new();
        let mut path = format!("/api/sessions?sort={sort}&per_page=2");
        loop {
            let list = rig.get(&path).await;
            walked.extend(ids(&list));
            let Some(cursor) = list["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/sessions?sort={sort}&per_page=2&cursor={cursor}");
        }
        assert_eq!(walked, expected, "{sort}");
    }
}

#[tokio::test]
async fn an_active_session_lasts_until_now_and_never_less_than_nothing() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2999-01-01T00:00:00Z").insert(&rig).await;
    Row::session(2, server, user, "2026-01-01T00:00:00Z").insert(&rig).await;
    let list = rig.get("/api/sessions").await;
    assert_eq!(
        list["sessions"][0]["duration_seconds"], 0,
        "its server's clock is ahead of ours"
    );
    assert!(list["sessions"][1]["duration_seconds"].as_i64().unwrap() > 86_400);
}
