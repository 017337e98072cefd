//! `GET /api/audit-logs`, its export and its verification.

use domain::role::Role;
use serde_json::{Value, json};

use crate::rig::Rig;

/// Appends entries as a service does.
async fn append(rig: &Rig, entries: &str) {
    let sql = format!(
        "SELECT append_audit_entry(NULL, e.actor, e.action, e.object_type, e.object_id, e.details, e.ip::inet, 'test', NULL)
         FROM (VALUES {entries}) e (actor, action, object_type, object_id, details, ip)"
    );
    rig.database.sql(&sql).await;
}

async fn some_entries(rig: &Rig) {
    append(
        rig,
        r#"('jdoe', 'login', 'portal_user', '7', '{}', '10.8.0.2'),
           ('=HYPERLINK("http://evil")', 'login_failed', 'portal_user', '-1', '{"reason":"unknown user"}', '203.0.113.5'),
           ('jdoe', 'update', 'vpn_server', '3', '{"after":{"description":"Paris"},"before":{"description":"Lyon"}}', '2001:db8::1')"#,
    )
    .await;
}

async fn get(rig: &Rig, query: &str) -> Value {
    let path = format!("/api/audit-logs?{query}");
    rig.get_as(&[Role::Auditor], &path).await.expect(200).json()
}

fn actions(list: &Value) -> Vec<&str> {
    list["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn entries_are_listed_newest_first_with_their_hashes() {
    let rig = Rig::start().await;
    some_entries(&rig).await;
    let list = get(&rig, "object_type=vpn_server").await;
    let entry = &list["entries"][0];
    for (member, value) in [
        ("actor_name", json!("jdoe")),
        ("actor_portal_user_id", Value::Null),
        ("action", json!("update")),
        ("object_type", json!("vpn_server")),
        ("object_id", json!("3")),
        (
            "details",
            json!({"before": {"description": "Lyon"}, "after": {"description": "Paris"}}),
        ),
        ("ip_address", json!("2001:db8::1")),
        ("user_agent", json!("test")),
        ("request_id", Value::Null),
    ] {
        assert_eq!(entry[member], value, "{member}");
    }
    let hashes = rig
        .database
        .rows("SELECT encode(previous_hash, 'hex') AS p, encode(entry_hash, 'hex') AS e FROM audit_log ORDER BY id DESC LIMIT 1")
        .await;
    assert_eq!(
        (&entry["previous_hash"], &entry["entry_hash"]),
        (&hashes[0]["p"], &hashes[0]["e"])
    );
}

#[tokio::test]
async fn the_list_is_filtered_paged_and_walked() {
    let rig = Rig::start().await;
    some_entries(&rig).await;
    for (query, expected) in [
        ("action=login,update&sort=created_at", vec!["login", "update"]),
        ("actor=JDOE", vec!["update", "login"]),
        ("ip=10.8.0.0/16", vec!["login"]),
        ("ip=2001:db8::/32", vec!["update"]),
        ("text=paris", vec!["update"]),
        ("object_type=portal_user&object_id=7", vec!["login"]),
        ("from_date=2200-01-01", vec![]),
    ] {
        assert_eq!(actions(&get(&rig, query).await), expected, "{query}");
    }
    let first = get(&rig, "actor=jdoe&per_page=1").await;
    assert_eq!((&first["total"], &first["pages"]), (&json!(2), &json!(2)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&rig, &format!("actor=jdoe&per_page=1&cursor={cursor}")).await;
    assert_eq!(
        (actions(&second), &second["next_cursor"]),
        (vec!["login"], &Value::Null)
    );
    assert_eq!(actions(&get(&rig, "actor=jdoe&per_page=1&page=2").await), ["login"]);
}

#[tokio::test]
async fn parameters_are_read_strictly() {
    let rig = Rig::start().await;
    for (query, parameter) in [
        ("action=logn", "action"),
        ("ip=10.8", "ip"),
        ("sort=actor_name", "sort"),
        ("from_date=yesterday", "from_date"),
        ("cursor=AQEAAAAAAAAAAA", "cursor"),
        ("object_id=7&object_id=8", "object_id"),
    ] {
        let reply = rig.get_as(&[Role::Admin], &format!("/api/audit-logs?{query}")).await;
        let problem = reply.expect(400).json();
        assert_eq!(
            (&problem["error"], &problem["parameter"]),
            (&json!("invalid_parameter"), &json!(parameter))
        );
    }
    for path in [
        "/api/audit-logs/export?page=1",
        "/api/audit-logs/export?format=xlsx",
        "/api/audit-logs/verify?from=1",
    ] {
        rig.get_as(&[Role::Admin], path).await.expect(400);
    }
}

#[tokio::test]
async fn an_export_is_itself_audited_before_its_first_byte_and_ends_with_its_end() {
    let rig = Rig::start().await;
    some_entries(&rig).await;
    let reply = rig.get_as(&[Role::Auditor], "/api/audit-logs/export").await.expect(200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/csv; charset=utf-8; header=present")
    );
    let disposition = reply.header("content-disposition").unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"audit-log-"),
        "{disposition}"
    );
    let mut reader = csv::Reader::from_reader(reply.body.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |row: usize, name: &str| {
        let columns = csv::Reader::from_reader(reply.body.as_bytes())
            .headers()
            .unwrap()
            .clone();
        rows[row][columns.iter().position(|column| column == name).unwrap()].to_owned()
    };
    let last = rows.len() - 1;
    assert_eq!(
        (column(last, "record_type"), column(last - 1, "record_type")),
        ("end".to_owned(), "entry".to_owned())
    );
    assert_eq!(column(last - 1, "action"), "export", "the export tells of itself");
    assert_eq!(column(last - 1, "details"), r#"{"filter":{},"format":"csv"}"#);
    assert_eq!(column(last, "entry_hash"), column(last - 1, "entry_hash"));
    let evil = rows
        .iter()
        .find(|row| row.iter().any(|cell| cell == "login_failed"))
        .unwrap();
    assert!(evil.iter().any(|cell| cell == "'=HYPERLINK(\"http://evil\")"));
    assert!(evil.iter().any(|cell| cell == "'-1"), "an object's id is a text too");
}

#[tokio::test]
async fn a_filtered_export_as_json_says_what_it_holds() {
    let rig = Rig::start().await;
    some_entries(&rig).await;
    let path = "/api/audit-logs/export?format=json&action=update&action=login";
    let reply = rig.get_as(&[Role::Auditor], path).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let export = reply.json();
    assert_eq!(actions(&export), ["login", "update"]);
    assert_eq!(export["entries"][1]["details"]["after"]["description"], "Paris");
    assert_eq!(export["end"]["last_id"], export["entries"][1]["id"]);
    assert_eq!(export["end"]["entry_hash"], export["entries"][1]["entry_hash"]);
    let note = export["end"]["note"].as_str().unwrap();
    assert!(
        note.starts_with("Complete: entries that match the filter, as of "),
        "{note}"
    );
    let entry = get(&rig, "action=export").await;
    assert_eq!(
        entry["entries"][0]["details"],
        json!({"format": "json", "filter": {"action": ["update", "login"]}})
    );
    let nothing = rig
        .get_as(&[Role::Auditor], "/api/audit-logs/export?format=json&actor=nobody")
        .await
        .json();
    assert_eq!(
        (&nothing["entries"], &nothing["end"]["last_id"]),
        (&json!([]), &json!(0))
    );
}

#[tokio::test]
async fn a_verification_names_the_first_bad_entry() {
    let rig = Rig::start().await;
    some_entries(&rig).await;
    let last = rig.database.count("SELECT max(id) FROM audit_log").await;
    let verify = async || {
        rig.get_as(&[Role::Auditor], "/api/audit-logs/verify")
            .await
            .expect(200)
            .json()
    };
    let good = verify().await;
    assert_eq!(
        (
            &good["entries"],
            &good["verified_to"],
            &good["first_bad"],
            &good["signed_to"]
        ),
        (&json!(last), &json!(last), &Value::Null, &json!(0))
    );
    assert!(good["seconds"].as_f64().unwrap() >= 0.0);
    rig.database
        .sql(&format!(
            "UPDATE audit_log SET actor_name = 'nobody' WHERE id = {}",
            last - 1
        ))
        .await;
    let bad = verify().await;
    assert_eq!(bad["verified_to"], json!(last - 2));
    assert_eq!(
        bad["first_bad"],
        json!({
            "id": last - 1,
            "fault": "edited",
            "detail": format!("Entry {} was edited: its content does not have its hash.", last - 1),
        })
    );
}

#[tokio::test]
async fn the_export_of_sessions_is_audited_with_its_filter() {
    let rig = Rig::start().await;
    let path = "/api/sessions/export?status=active&ip=10.8.0.0/24";
    rig.get_as(&[Role::Viewer], path).await.expect(200);
    let entry = get(&rig, "action=export").await["entries"][0].clone();
    assert_eq!(
        (&entry["object_type"], &entry["actor_name"]),
        (&json!("vpn_session"), &json!("somebody"))
    );
    assert_eq!(
        entry["details"],
        json!({"format": "csv", "filter": {"status": ["active"], "ip": ["10.8.0.0/24"]}})
    );
}
