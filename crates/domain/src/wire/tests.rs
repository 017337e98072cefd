use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::event::{BytesSource, EventType};

const NOW: OffsetDateTime = datetime!(2026-02-13 12:00:01 UTC);
const ID: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

fn parse(body: &str) -> Result<EventsRequest, WireError> {
    parse_events(body.as_bytes(), NOW, 100)
}

/// A good connect event with these fields instead.
fn event(changes: Value) -> Value {
    let mut event = json!({
        "event_id": ID, "seq": 1, "type": "SESSION_CONNECTED", "common_name": "jdoe",
        "event_time_vpn": "2026-02-13T12:00:00Z",
    });
    merge(&mut event, changes);
    event
}

fn merge(target: &mut Value, changes: Value) {
    for (key, value) in changes.as_object().unwrap().clone() {
        target[key] = value;
    }
}

fn body(events: Vec<Value>) -> String {
    json!({"server_id": "vpn-1", "sent_at": "2026-02-13T12:00:00Z", "events": events}).to_string()
}

fn accept(changes: Value) -> Event {
    let request = parse(&body(vec![event(changes)])).unwrap();
    assert_eq!(request.rejected, []);
    request.events[0].clone()
}

fn facts(changes: Value) -> crate::event::SessionFacts {
    accept(changes).sessions.remove(0)
}

/// The code with which an event with these fields is refused, between two good events that are not.
fn refuse(changes: Value) -> (&'static str, String) {
    refuse_event(&event(changes))
}

fn refuse_event(bad: &Value) -> (&'static str, String) {
    let other = event(json!({"event_id": Uuid::from_u128(7).to_string()}));
    let request = parse(&body(vec![other.clone(), bad.clone(), other])).unwrap();
    assert_eq!(
        (request.received, request.events.len(), request.rejected.len()),
        (3, 2, 1)
    );
    let rejection = &request.rejected[0];
    assert_eq!(rejection.index, 1);
    assert_eq!(serde_json::from_str::<Value>(&rejection.event_json).unwrap(), *bad);
    (rejection.error.as_str(), rejection.detail.clone())
}

#[test]
fn the_minimal_payload_is_accepted() {
    let request = parse(
        r#"{"server_id":"vpn-prod-01","sent_at":"2026-02-13T12:00:00Z","events":[
            {"event_id":"6f9619ff-8b86-d011-b42d-00cf4fc964ff","seq":1,"type":"SESSION_CONNECTED",
             "common_name":"jdoe@company.com","real_ip":"203.0.113.5","real_port":"1194","virtual_ip":"10.8.0.2",
             "event_time_vpn":"2026-02-13T12:00:00Z"},
            {"event_id":"6f9619ff-8b86-d011-b42d-00cf4fc96400","seq":2,"type":"SESSION_DISCONNECTED",
             "common_name":"jdoe@company.com","event_time_vpn":"2026-02-13T12:30:00Z"}]}"#,
    )
    .unwrap();
    assert_eq!(request.server_id, "vpn-prod-01");
    assert_eq!(request.sent_at, Some(datetime!(2026-02-13 12:00 UTC)));
    assert_eq!((request.received, request.rejected.len()), (2, 0));
    let [connect, disconnect] = &request.events[..] else {
        panic!("two events")
    };
    assert_eq!(connect.event_type, EventType::SessionConnected);
    assert_eq!(connect.sessions[0].real_port, Some(1194));
    assert_eq!(connect.sessions[0].virtual_ip, Some("10.8.0.2".parse().unwrap()));
    assert_eq!(disconnect.event_time, datetime!(2026-02-13 12:30 UTC));
    assert_eq!(disconnect.sessions[0].bytes_in, None);
}

#[test]
fn every_optional_field_is_read() {
    let session_id = Uuid::from_u128(9);
    let facts = facts(json!({
        "session_id": session_id.to_string(), "virtual_ip6": "fd00::2", "bytes_in": 0, "bytes_out": 7,
        "bytes_source": "last_poll", "disconnect_reason": "client", "username": "j", "cid": 3, "cipher": "AES-256-GCM",
        "client": {"platform": "linux", "version": "2.6", "gui": "x", "unknown": []}, "duration_seconds": 60,
    }));
    assert_eq!(facts.session_id, Some(session_id));
    assert_eq!(facts.virtual_ip6, Some("fd00::2".parse().unwrap()));
    assert_eq!((facts.bytes_in, facts.bytes_out), (Some(0), Some(7)));
    assert_eq!(facts.bytes_source, Some(BytesSource::LastPoll));
    assert_eq!((facts.cid, facts.duration_seconds), (Some(3), Some(60)));
    assert_eq!(facts.client.platform.as_deref(), Some("linux"));
    assert_eq!(facts.disconnect_reason.as_deref(), Some("client"));
}

#[test]
fn unknown_fields_and_nulls_do_not_matter() {
    let facts = facts(json!({"real_ip": null, "client": null, "new_in_2030": {"a": [1]}, "username": ""}));
    assert_eq!((facts.real_ip, facts.username), (None, None));
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let good = event(json!({})).to_string();
    let twice = good.replacen('{', r#"{"common_name": "first", "seq": "x", "#, 1);
    let request = parse(&format!(
        r#"{{"server_id": "a", "events": [], "server_id": "b", "events": [{twice}]}}"#
    ))
    .unwrap();
    assert_eq!(request.server_id, "b");
    assert_eq!(request.events[0].common_name(), Some("jdoe"));
}

#[test]
fn escapes_in_text_are_resolved() {
    let text = body(vec![event(json!({"common_name": "J\u{f6}rg \"x\""}))]).replace('ö', "\\u00f6");
    assert_eq!(parse(&text).unwrap().events[0].common_name(), Some("J\u{f6}rg \"x\""));
}

#[test]
fn the_boot_may_stand_behind_the_events() {
    let boot = Uuid::from_u128(5);
    let text = format!(
        r#"{{"server_id":"a","events":[{}],"boot_id":"{boot}"}}"#,
        event(json!({}))
    );
    assert_eq!(parse(&text).unwrap().events[0].boot_id, Some(boot));
}

#[test]
fn a_port_may_be_text_or_number() {
    for port in [json!(1194), json!("1194"), json!("01194")] {
        assert_eq!(facts(json!({"real_port": port})).real_port, Some(1194));
    }
}

#[test]
fn addresses_are_stored_as_what_they_are() {
    let ipv4: IpAddr = "203.0.113.5".parse().unwrap();
    assert_eq!(facts(json!({"real_ip": "::ffff:203.0.113.5"})).real_ip, Some(ipv4));
    let facts = facts(json!({"virtual_ip": "fd00::2"}));
    assert_eq!(
        (facts.virtual_ip, facts.virtual_ip6),
        (None, Some("fd00::2".parse().unwrap()))
    );
}

#[test]
fn server_events_need_no_session() {
    let bare = json!({"event_id": ID, "type": "SERVER_STARTED", "event_time_vpn": "2026-02-13T12:00:00+01:00"});
    let request = parse(&body(vec![bare])).unwrap();
    assert_eq!(request.events[0].sessions, []);
    assert_eq!(request.events[0].seq, None);
    assert_eq!(request.events[0].event_time, datetime!(2026-02-13 11:00 UTC));
}

#[test]
fn a_snapshot_lists_its_sessions() {
    let entry = json!({"common_name": "a", "real_port": 1, "connected_at": "2026-02-13T11:00:00Z"});
    let snapshot = accept(json!({"type": "SESSION_SNAPSHOT", "sessions": [entry, {"common_name": "b"}]}));
    assert_eq!(snapshot.sessions.len(), 2);
    assert_eq!(snapshot.sessions[0].connected_at, Some(datetime!(2026-02-13 11:00 UTC)));
    assert_eq!(accept(json!({"type": "SESSION_SNAPSHOT", "sessions": []})).sessions, []);
}

#[test]
fn each_wrong_value_has_its_code() {
    let cases = [
        ("missing_field", json!({"event_id": null})),
        ("missing_field", json!({"type": null})),
        ("missing_field", json!({"common_name": null})),
        ("missing_field", json!({"event_time_vpn": null})),
        ("missing_field", json!({"type": "SESSION_SNAPSHOT"})),
        ("invalid_event_id", json!({"event_id": "x"})),
        ("invalid_event_id", json!({"event_id": 5})),
        ("invalid_event_id", json!({"event_id": Uuid::nil().to_string()})),
        ("invalid_type", json!({"type": "SESSION_EXPLODED"})),
        ("invalid_type", json!({"type": 1})),
        ("invalid_common_name", json!({"common_name": ""})),
        ("invalid_common_name", json!({"common_name": "x".repeat(256)})),
        ("invalid_common_name", json!({"common_name": "a\u{0}b"})),
        ("invalid_common_name", json!({"common_name": "a\u{85}b"})),
        ("invalid_common_name", json!({"common_name": ["a"]})),
        ("invalid_event_time", json!({"event_time_vpn": "yesterday"})),
        ("invalid_event_time", json!({"event_time_vpn": "2026-02-13 12:00:00"})),
        ("invalid_event_time", json!({"event_time_vpn": 1_770_984_000})),
        (
            "event_time_out_of_range",
            json!({"event_time_vpn": "1999-12-31T23:59:59Z"}),
        ),
        (
            "event_time_out_of_range",
            json!({"event_time_vpn": "2026-02-14T12:00:02Z"}),
        ),
        ("invalid_seq", json!({"seq": -1})),
        ("invalid_seq", json!({"seq": 1.5})),
        ("invalid_seq", json!({"seq": "1"})),
        ("invalid_session_id", json!({"session_id": "x"})),
        ("invalid_real_ip", json!({"real_ip": "203.0.113.500"})),
        ("invalid_real_ip", json!({"real_ip": ""})),
        ("invalid_real_port", json!({"real_port": 65_536})),
        ("invalid_real_port", json!({"real_port": "+1"})),
        ("invalid_virtual_ip", json!({"virtual_ip": "10.8.0"})),
        (
            "invalid_virtual_ip",
            json!({"virtual_ip": "fd00::1", "virtual_ip6": "fd00::2"}),
        ),
        ("invalid_virtual_ip6", json!({"virtual_ip6": "10.8.0.2"})),
        ("invalid_bytes", json!({"bytes_in": -1})),
        ("invalid_bytes", json!({"bytes_out": 9_223_372_036_854_775_808u64})),
        ("invalid_bytes_source", json!({"bytes_source": "guess"})),
        ("invalid_duration", json!({"duration_seconds": -3})),
        ("invalid_cid", json!({"cid": "7"})),
        ("invalid_text", json!({"username": "x".repeat(256)})),
        ("invalid_text", json!({"cipher": "a\nb"})),
        ("invalid_text", json!({"disconnect_reason": 5})),
        ("invalid_text", json!({"client": "linux"})),
        ("invalid_text", json!({"client": {"gui": 1}})),
        (
            "invalid_sessions",
            json!({"type": "SESSION_SNAPSHOT", "sessions": "all"}),
        ),
        (
            "invalid_sessions",
            json!({"type": "SESSION_SNAPSHOT", "sessions": [{"common_name": "a"}, {}]}),
        ),
        ("invalid_sessions", json!({"type": "SESSION_SNAPSHOT", "sessions": [5]})),
    ];
    for (code, changes) in cases {
        assert_eq!(refuse(changes.clone()).0, code, "{changes}");
    }
    assert_eq!(refuse_event(&json!(["no object"])).0, "invalid_event");
}

#[test]
fn details_say_what_was_found_and_what_is_expected() {
    let (_, detail) = refuse(json!({"event_time_vpn": "yesterday"}));
    assert_eq!(
        detail,
        r#"event_time_vpn is "yesterday", expected an RFC 3339 time such as 2026-02-13T12:00:00Z."#
    );
    let (_, detail) =
        refuse(json!({"type": "SESSION_SNAPSHOT", "sessions": [{"common_name": "a"}, {"common_name": ""}]}));
    assert_eq!(
        detail,
        r#"sessions[1]: common_name is "", expected 1 to 255 characters without control characters."#
    );
    let (_, detail) = refuse(json!({"real_ip": "x".repeat(5_000)}));
    assert!(detail.len() < 300 && detail.contains("5000 characters"), "{detail}");
}

#[test]
fn an_event_whose_json_cannot_be_read_is_refused_alone() {
    for broken in [r#"{"seq": 1e999}"#, r#"{"common_name": "\ud800"}"#] {
        let request = parse(&format!(
            r#"{{"server_id":"a","events":[{},{broken}]}}"#,
            event(json!({}))
        ))
        .unwrap();
        assert_eq!((request.events.len(), request.rejected.len()), (1, 1));
        assert_eq!(request.rejected[0].error.as_str(), "invalid_event");
        assert_eq!(request.rejected[0].event_json, broken);
    }
}

#[test]
fn a_refused_event_keeps_what_could_be_read_of_it() {
    let bad = event(json!({"event_id": "no\u{0}uuid", "seq": 42}));
    let request = parse(&body(vec![bad])).unwrap();
    assert_eq!(request.rejected[0].event_id.as_deref(), Some("no\u{fffd}uuid"));
    assert_eq!(request.rejected[0].seq, Some(42));
}

#[test]
fn the_json_of_a_refused_event_is_cut_between_characters() {
    let bad = event(json!({"event_id": "ä".repeat(20_000)}));
    let request = parse(&body(vec![bad])).unwrap();
    let length = request.rejected[0].event_json.len();
    assert!(
        (MAX_REJECTED_JSON - 3..=MAX_REJECTED_JSON).contains(&length),
        "{length}"
    );
}

#[test]
fn accepted_events_know_where_they_stood() {
    let (good, bad) = (event(json!({})), json!(1));
    let request = parse(&body(vec![
        bad.clone(),
        good.clone(),
        bad.clone(),
        bad,
        good.clone(),
        good,
    ]))
    .unwrap();
    assert_eq!([0, 1, 2].map(|accepted| request.index_of(accepted)), [1, 4, 5]);
}

#[test]
fn each_wrong_body_has_its_code() {
    let cases = [
        ("invalid_json", ""),
        ("invalid_json", "{"),
        ("invalid_json", "{} x"),
        ("invalid_body", "[]"),
        ("invalid_body", "null"),
        ("missing_field", r#"{"events": []}"#),
        ("missing_field", r#"{"server_id": "a"}"#),
        ("missing_field", r#"{"server_id": "a", "events": null}"#),
        ("invalid_server_id", r#"{"server_id": 1, "events": []}"#),
        (
            "invalid_sent_at",
            r#"{"server_id": "a", "sent_at": "now", "events": []}"#,
        ),
        ("invalid_boot_id", r#"{"server_id": "a", "boot_id": "b", "events": []}"#),
        ("invalid_events", r#"{"server_id": "a", "events": {}}"#),
    ];
    for (code, text) in cases {
        assert_eq!(parse(text).unwrap_err().as_str(), code, "{text}");
    }
    assert_eq!(parse_events(b"\"\xff\"", NOW, 1).unwrap_err().as_str(), "invalid_json");
}

#[test]
fn too_many_events_are_counted_and_refused() {
    let good = event(json!({}));
    for events in [vec![good.clone(); 4], vec![json!(1); 4]] {
        let refused = parse_events(body(events).as_bytes(), NOW, 3);
        assert_eq!(refused, Err(WireError::TooManyEvents { found: 4, limit: 3 }));
    }
    assert_eq!(
        parse_events(body(vec![good; 3]).as_bytes(), NOW, 3).unwrap().received,
        3
    );
}

#[test]
fn the_sessions_that_a_heartbeat_lists_are_proven_alive_once() {
    let body = r#"{"server_id":"a","sent_at":"2026-02-13T12:00:00Z","sessions":[
        {"common_name":"jdoe","session_id":"6b1f8c9e-54a1-4c7b-9f0e-2d8a4f6f0a01","bytes_in":7},{"common_name":"bob"}]}"#;
    let proofs = parse_heartbeat(body.as_bytes(), NOW, 10).unwrap().proofs();
    assert_eq!(proofs, parse_heartbeat(body.as_bytes(), NOW, 10).unwrap().proofs());
    assert_eq!(proofs.len(), 2);
    assert_eq!(proofs[0].event_type, EventType::SessionUpdated);
    assert_eq!(proofs[0].sessions[0].bytes_in, Some(7));
    assert_ne!(proofs[0].event_id, proofs[1].event_id);
    let timeless = r#"{"server_id":"a","sessions":[{"common_name":"jdoe"}]}"#;
    assert_eq!(
        parse_heartbeat(timeless.as_bytes(), NOW, 10).unwrap_err(),
        WireError::MissingField("sent_at")
    );
    assert!(matches!(
        parse_heartbeat(body.as_bytes(), NOW, 1).unwrap_err(),
        WireError::TooManyEvents { found: 2, limit: 1 }
    ));
}

#[test]
fn a_heartbeat_is_read_and_its_values_checked() {
    let whole = r#"{"server_id":"a","sent_at":"2026-02-13T12:00:00Z","cpu_percent":12.5,"memory_percent":40,"load_1m":0.5,
        "openvpn_version":"2.6","uptime_seconds":5,"session_count":0,"dco":false,"agent_version":"1","spool_depth":2,
        "oldest_unsent_at":"2026-02-13T11:00:00Z","other":1}"#;
    let request = parse_heartbeat(whole.as_bytes(), NOW, 10).unwrap();
    assert_eq!(request.heartbeat.cpu_percent, Some(12.5));
    assert_eq!(request.heartbeat.session_count, Some(0));
    assert_eq!(
        request.heartbeat.oldest_unsent_at,
        Some(datetime!(2026-02-13 11:00 UTC))
    );
    for field in [
        r#""cpu_percent":-1"#,
        r#""memory_percent":200"#,
        r#""dco":"yes""#,
        r#""openvpn_version":"a\u0000""#,
    ] {
        let error = parse_heartbeat(format!(r#"{{"server_id":"a",{field}}}"#).as_bytes(), NOW, 10).unwrap_err();
        assert_eq!(error.as_str(), "invalid_heartbeat", "{field}");
    }
    assert_eq!(
        parse_heartbeat(b"{}", NOW, 10).unwrap_err(),
        WireError::MissingField("server_id")
    );
}

/// JSON that uses the names of the contract, so that every check is reached.
fn any_json() -> impl Strategy<Value = Value> {
    let names = [
        "server_id",
        "sent_at",
        "boot_id",
        "events",
        "event_id",
        "seq",
        "type",
        "common_name",
        "event_time_vpn",
        "sessions",
        "real_ip",
        "real_port",
        "virtual_ip",
        "virtual_ip6",
        "bytes_in",
        "bytes_source",
        "client",
        "connected_at",
        "other",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!(ID)),
        Just(json!("SESSION_SNAPSHOT")),
        Just(json!("SESSION_CONNECTED")),
        Just(json!("9999-12-31T23:59:59-23:59")),
        Just(json!("2026-02-13T12:00:00Z")),
        Just(json!("::ffff:1.2.3.4")),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        let entries = proptest::collection::vec((proptest::sample::select(names.to_vec()), inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::from),
            entries.prop_map(|entries| entries
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes: Vec<u8>) {
        let _ = parse_events(&bytes, NOW, 10);
        let _ = parse_heartbeat(&bytes, NOW, 10);
    }

    #[test]
    fn json_never_panics_and_every_event_is_accounted_for(event in any_json(), whole in any_json()) {
        let _ = parse(&whole.to_string());
        let _ = parse_heartbeat(whole.to_string().as_bytes(), NOW, 10);
        let request = parse(&body(vec![event])).unwrap();
        prop_assert_eq!(request.events.len() + request.rejected.len(), 1);
    }
}
