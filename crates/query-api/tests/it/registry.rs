//! `POST /api/servers`, `PUT /api/servers/{id}`, `DELETE /api/servers/{id}`.

use domain::role::Role;
use serde_json::{Value, json};
use test_support::Reply;

use crate::rig::{Rig, Row};

async fn send(rig: &Rig, method: &str, path: &str, body: Value) -> Reply {
    rig.send_as(&[Role::Admin], method, path, Some(body)).await
}

async fn names(rig: &Rig, query: &str) -> Vec<Value> {
    let list = rig.get(&format!("/api/servers?{query}")).await;
    list["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| server["name"].clone())
        .collect()
}

/// Action, object and details of each entry, the oldest first.
async fn audited(rig: &Rig) -> Vec<Value> {
    let entries = rig
        .database
        .rows(
            "SELECT action, object_id, details_json, actor_name, actor_portal_user_id, ip_address FROM audit_log
               WHERE object_type = 'vpn_server' ORDER BY id",
        )
        .await;
    for entry in &entries {
        assert_eq!(
            (
                &entry["actor_name"],
                &entry["actor_portal_user_id"],
                &entry["ip_address"]
            ),
            (&json!("somebody"), &json!(1), &json!("127.0.0.1"))
        );
    }
    entries
        .iter()
        .map(|entry| json!([entry["action"], entry["object_id"], entry["details_json"]]))
        .collect()
}

#[tokio::test]
async fn a_server_is_registered_changed_and_deleted_and_each_change_is_audited() {
    let rig = Rig::start().await;
    let created = send(
        &rig,
        "POST",
        "/api/servers",
        json!({"name": "vpn-1", "description": "Paris"}),
    )
    .await;
    assert_eq!(created.header("location"), Some("/api/servers/1"));
    let created = created.expect(201).json();
    assert_eq!(
        (
            &created["id"],
            &created["name"],
            &created["duplicate_cn"],
            &created["status"]
        ),
        (&json!(1), &json!("vpn-1"), &json!(false), &json!("never_seen"))
    );
    let change = json!({"description": "Lyon", "duplicate_cn": true});
    let changed = send(&rig, "PUT", "/api/servers/1", change.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["description"], &changed["duplicate_cn"]),
        (&json!("Lyon"), &json!(true))
    );
    send(&rig, "PUT", "/api/servers/1", change).await.expect(200);
    let deleted = rig
        .send_as(&[Role::Admin], "DELETE", "/api/servers/1", None)
        .await
        .expect(200)
        .json();
    assert_eq!(deleted, json!({"id": 1, "outcome": "erased"}));
    assert_eq!(names(&rig, "").await, [""; 0]);
    assert_eq!(
        audited(&rig).await,
        [
            json!(["create", "1", {"after": {"name": "vpn-1", "description": "Paris", "duplicate_cn": false}}]),
            json!(["update", "1", {
                "before": {"description": "Paris", "duplicate_cn": false},
                "after": {"description": "Lyon", "duplicate_cn": true},
            }]),
            json!(["delete", "1", {
                "before": {"name": "vpn-1", "description": "Lyon", "duplicate_cn": true, "retired": false},
            }]),
        ],
        "what changed nothing left no entry"
    );
}

#[tokio::test]
async fn a_server_with_history_is_retired_hidden_and_can_come_back() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z").insert(&rig).await;
    let path = format!("/api/servers/{server}");
    for _ in 0..2 {
        let deleted = rig
            .send_as(&[Role::Admin], "DELETE", &path, None)
            .await
            .expect(200)
            .json();
        assert_eq!(deleted, json!({"id": server, "outcome": "retired"}));
    }
    assert_eq!(names(&rig, "").await, [""; 0]);
    assert_eq!(names(&rig, "status=retired").await, ["vpn-1"]);
    assert_eq!(rig.get(&path).await["status"], "retired", "its page is still there");
    let sessions = rig.get("/api/sessions").await;
    assert_eq!(sessions["sessions"][0]["server_instance"], "vpn-1", "and its history");
    let back = send(&rig, "PUT", &path, json!({"retired": false}))
        .await
        .expect(200)
        .json();
    assert_eq!(back["retired_at"], Value::Null);
    assert_eq!(names(&rig, "").await, ["vpn-1"]);
    assert_eq!(
        audited(&rig).await,
        [
            json!(["delete", server.to_string(), {"before": {"retired": false}, "after": {"retired": true}}]),
            json!(["update", server.to_string(), {"before": {"retired": true}, "after": {"retired": false}}]),
        ]
    );
}

#[tokio::test]
async fn a_server_with_a_key_alone_has_history() {
    let rig = Rig::start().await;
    let server = rig.server("vpn-1").await;
    rig.database
        .sql(&format!(
            "INSERT INTO server_api_key (key_id, server_id, secret_sha256) VALUES ('abcdefghijkl', {server}, decode(repeat('00', 32), 'hex'))"
        ))
        .await;
    let path = format!("/api/servers/{server}");
    let deleted = rig
        .send_as(&[Role::Admin], "DELETE", &path, None)
        .await
        .expect(200)
        .json();
    assert_eq!(deleted["outcome"], "retired");
}

#[tokio::test]
async fn what_is_not_valid_is_refused_with_its_field() {
    let rig = Rig::start().await;
    rig.server("taken").await;
    for (body, status, error, field) in [
        (json!({"name": "taken"}), 409, "name_taken", Value::Null),
        (json!({"name": "vpn 1"}), 400, "invalid_body", json!("name")),
        (json!({"name": ""}), 400, "invalid_body", json!("name")),
        (json!({"description": "x"}), 400, "invalid_body", json!("name")),
        (json!({"name": 7}), 400, "invalid_body", json!("name")),
        (
            json!({"name": "vpn-1", "description": "x".repeat(501)}),
            400,
            "invalid_body",
            json!("description"),
        ),
        (json!({"name": "vpn-1", "id": 9}), 400, "invalid_body", json!("id")),
        (
            json!({"name": "vpn-1", "created_at": "2026-02-13T12:00:00Z"}),
            400,
            "invalid_body",
            json!("created_at"),
        ),
    ] {
        let problem = send(&rig, "POST", "/api/servers", body.clone())
            .await
            .expect(status)
            .json();
        assert_eq!(
            (&problem["error"], &problem["field"]),
            (&json!(error), &field),
            "{body}: {problem}"
        );
    }
    for body in [json!({"name": "other"}), json!({"retired_at": null})] {
        send(&rig, "PUT", "/api/servers/1", body).await.expect(400);
    }
    send(&rig, "PUT", "/api/servers/77", json!({"description": ""}))
        .await
        .expect(404);
    rig.send_as(&[Role::Admin], "DELETE", "/api/servers/77", None)
        .await
        .expect(404);
    assert_eq!(audited(&rig).await, [Value::Null; 0]);
}

#[tokio::test]
async fn when_the_log_is_broken_the_registry_does_not_change() {
    let rig = Rig::start().await;
    let server = rig.server("vpn-1").await;
    rig.database
        .sql(
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the log is broken'; END $$;
             CREATE TRIGGER broken BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION broken()",
        )
        .await;
    let path = format!("/api/servers/{server}");
    send(&rig, "POST", "/api/servers", json!({"name": "vpn-2"}))
        .await
        .expect(500);
    send(&rig, "PUT", &path, json!({"description": "x"})).await.expect(500);
    rig.send_as(&[Role::Admin], "DELETE", &path, None).await.expect(500);
    for export in ["/api/sessions/export", "/api/audit-logs/export"] {
        rig.get_as(&[Role::Admin], export).await.expect(500);
    }
    let left = rig
        .database
        .rows("SELECT name, description, retired_at FROM vpn_server")
        .await;
    assert_eq!(left, [json!({"name": "vpn-1", "description": "", "retired_at": null})]);
}
