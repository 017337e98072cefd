//! `GET /api/identity`: who held an address at an instant.

use serde_json::{Value, json};

use crate::rig::{Rig, Row};

/// jdoe holds 10.8.0.23 from 03:00, last proven at 03:10 and disproved at 03:20; alice from 04:00 until 05:00.
async fn night() -> Rig {
    let rig = Rig::start().await;
    let (server, other) = (rig.server("vpn-1").await, rig.server("vpn-2").await);
    let (jdoe, alice) = (rig.user("jdoe").await, rig.user("alice").await);
    Row::session(1, server, jdoe, "2026-02-10T03:00:00Z")
        .ended("2026-02-10T03:10:00Z")
        .with("ended_by", "reconciled")
        .with("end_not_after", "2026-02-10T03:20:00Z")
        .with("virtual_ip", "10.8.0.23")
        .with("virtual_ip6", "fd00::23")
        .with("real_ip", "203.0.113.5")
        .insert(&rig)
        .await;
    Row::session(2, server, alice, "2026-02-10T04:00:00Z")
        .ended("2026-02-10T05:00:00Z")
        .with("virtual_ip", "10.8.0.23")
        .with("real_ip", "203.0.113.5")
        .insert(&rig)
        .await;
    Row::session(3, other, alice, "2026-02-10T04:30:00Z")
        .with("virtual_ip", "10.9.0.1")
        .with("real_ip", "203.0.113.5")
        .insert(&rig)
        .await;
    rig
}

async fn held(rig: &Rig, ip: &str, at: &str) -> Value {
    let identity = rig.get(&format!("/api/identity?ip={ip}&at={at}")).await;
    let holders: Vec<Value> = identity["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|holder| json!([holder["session"]["common_name"], holder["certainty"], holder["address"]]))
        .collect();
    json!([identity["answer"], holders])
}

#[tokio::test]
async fn the_holder_is_certain_between_proofs_probable_until_disproof_and_none_after() {
    let rig = night().await;
    for (at, expected) in [
        ("2026-02-10T02:59:59Z", json!(["none", []])),
        (
            "2026-02-10T03:05:00Z",
            json!(["certain", [["jdoe", "certain", "virtual_ip"]]]),
        ),
        (
            "2026-02-10T03:14:07Z",
            json!(["probable", [["jdoe", "probable", "virtual_ip"]]]),
        ),
        ("2026-02-10T03:20:00Z", json!(["none", []])),
        (
            "2026-02-10T04:00:00Z",
            json!(["certain", [["alice", "certain", "virtual_ip"]]]),
        ),
        ("2026-02-10T05:00:00Z", json!(["none", []])),
    ] {
        assert_eq!(held(&rig, "10.8.0.23", at).await, expected, "{at}");
    }
}

#[tokio::test]
async fn ipv6_and_real_addresses_are_found_too() {
    let rig = night().await;
    let by_ipv6 = held(&rig, "fd00::23", "2026-02-10T03:05:00Z").await;
    assert_eq!(by_ipv6, json!(["certain", [["jdoe", "certain", "virtual_ip6"]]]));
    let by_real = held(&rig, "203.0.113.5", "2026-02-10T04:45:00Z").await;
    let expected = json!([["alice", "certain", "real_ip"], ["alice", "probable", "real_ip"]]);
    assert_eq!(
        by_real,
        json!(["certain", expected]),
        "two of her sessions, one of them open without later proof"
    );
    let mapped = held(&rig, "::ffff:203.0.113.5", "2026-02-10T03:05:00Z").await;
    assert_eq!(mapped, json!(["certain", [["jdoe", "certain", "real_ip"]]]));
}

#[tokio::test]
async fn an_answer_shows_its_proofs_and_the_gaps_that_could_change_it() {
    let rig = night().await;
    rig.database
        .sql(
            "INSERT INTO event_gap (server_id, boot_id, from_seq, to_seq, after_time, before_time) VALUES
                 (1, '00000000-0000-0000-0000-0000000000b0', 7, 8, '2026-02-10T03:12:00Z', '2026-02-10T03:18:00Z'),
                 (1, '00000000-0000-0000-0000-0000000000b0', 20, 21, '2026-02-10T06:00:00Z', '2026-02-10T06:01:00Z'),
                 (2, '00000000-0000-0000-0000-0000000000b1', 1, 2, NULL, '2026-02-10T03:30:00Z')",
        )
        .await;
    let identity = rig.get("/api/identity?ip=10.8.0.23&at=2026-02-10T03:14:07Z").await;
    let holder = &identity["holders"][0];
    assert_eq!(holder["proof_before"], "2026-02-10T03:10:00.000Z");
    assert_eq!(
        (&holder["proof_after"], &holder["disproof"]),
        (&Value::Null, &json!("2026-02-10T03:20:00.000Z"))
    );
    let from = |gaps: &Value| {
        gaps.as_array()
            .unwrap()
            .iter()
            .map(|gap| gap["from_seq"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        from(&holder["gaps"]),
        [7],
        "only those of its server that touch the interval"
    );
    assert_eq!(
        from(&identity["gaps"]),
        [7, 1],
        "those of every server around the instant"
    );
}

#[tokio::test]
async fn what_is_no_address_or_no_time_is_refused() {
    let rig = night().await;
    for (query, parameter) in [
        ("at=2026-02-10T03:14:07Z", "ip"),
        ("ip=10.8.0.0/24", "ip"),
        ("ip=jdoe", "ip"),
        ("ip=10.8.0.23&at=tuesday", "at"),
        ("ip=10.8.0.23&at=2999-01-01T00:00:00Z", "at"),
    ] {
        rig.refuses(&format!("/api/identity?{query}"), "invalid_parameter", parameter)
            .await;
    }
    assert_eq!(
        rig.get("/api/identity?ip=10.8.0.99").await["answer"],
        "none",
        "now, when no time is given"
    );
}
