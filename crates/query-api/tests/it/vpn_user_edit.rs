//! `PATCH /api/vpn-users/{id}`.

use domain::role::Role;
use serde_json::{Value, json};

use crate::rig::Rig;

const OPERATOR: &[Role] = &[Role::Operator];

async fn edit(rig: &Rig, id: i64, status: u16, body: Value) -> Value {
    let reply = rig
        .send_as(OPERATOR, "PATCH", &format!("/api/vpn-users/{id}"), Some(body))
        .await;
    reply.expect(status).json()
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_is_audited_with_before_and_after() {
    let rig = Rig::start().await;
    let id = rig.user("jdoe").await;
    rig.database
        .sql("UPDATE vpn_user SET email = 'old@example.com', contact_no = '1'")
        .await;
    let body = json!({"version": 1, "full_name": " Jane Doe ", "email": null, "user_type": "contractor"});
    let edited = edit(&rig, id, 200, body).await;
    assert_eq!(
        (
            &edited["full_name"],
            &edited["email"],
            &edited["contact_no"],
            &edited["user_type"],
            &edited["version"]
        ),
        (
            &json!("Jane Doe"),
            &Value::Null,
            &json!("1"),
            &json!("contractor"),
            &json!(2)
        )
    );
    assert_eq!(rig.get(&format!("/api/vpn-users/{id}")).await["full_name"], "Jane Doe");
    let audited = rig
        .database
        .rows("SELECT action, object_id, details_json FROM audit_log WHERE object_type = 'vpn_user'")
        .await;
    assert_eq!(audited.len(), 1);
    assert_eq!(
        audited[0]["details_json"],
        json!({
            "common_name": "jdoe",
            "before": {"full_name": null, "email": "old@example.com", "user_type": null},
            "after": {"full_name": "Jane Doe", "email": null, "user_type": "contractor"},
        })
    );
}

#[tokio::test]
async fn an_edit_of_an_older_state_is_refused_with_the_current_one() {
    let rig = Rig::start().await;
    let id = rig.user("jdoe").await;
    edit(&rig, id, 200, json!({"version": 1, "full_name": "Jane"})).await;
    let conflict = edit(&rig, id, 409, json!({"version": 1, "full_name": "John"})).await;
    assert_eq!(
        (
            &conflict["error"],
            &conflict["current"]["full_name"],
            &conflict["current"]["version"]
        ),
        (&json!("edit_conflict"), &json!("Jane"), &json!(2))
    );
}

#[tokio::test]
async fn an_edit_that_changes_nothing_leaves_no_trace() {
    let rig = Rig::start().await;
    let id = rig.user("jdoe").await;
    assert_eq!(edit(&rig, id, 200, json!({"version": 1})).await["version"], 1);
    assert_eq!(
        edit(&rig, id, 200, json!({"version": 1, "email": null})).await["version"],
        1
    );
    assert_eq!(
        rig.database
            .count("SELECT count(*) FROM audit_log WHERE object_type = 'vpn_user'")
            .await,
        0
    );
}

#[tokio::test]
async fn two_edits_of_the_same_state_make_one_change() {
    let rig = Rig::start().await;
    let id = rig.user("jdoe").await;
    let path = format!("/api/vpn-users/{id}");
    let attempt = async |name: &str| {
        let body = json!({"version": 1, "full_name": name});
        rig.send_as(OPERATOR, "PATCH", &path, Some(body)).await.status.as_u16()
    };
    let (one, two) = tokio::join!(attempt("Jane"), attempt("John"));
    assert_eq!(one.min(two), 200);
    assert_eq!(one.max(two), 409);
}

#[tokio::test]
async fn what_is_not_valid_is_refused_and_named() {
    let rig = Rig::start().await;
    let id = rig.user("jdoe").await;
    for (body, field) in [
        (json!({"full_name": "Jane"}), None),
        (json!({"version": 1, "full_name": ""}), Some("full_name")),
        (json!({"version": 1, "full_name": "x".repeat(256)}), Some("full_name")),
        (json!({"version": 1, "full_name": "a\u{0}"}), None),
        (json!({"version": 1, "email": "nobody"}), Some("email")),
        (json!({"version": 1, "contact_no": "1\n2"}), Some("contact_no")),
        (json!({"version": 1, "user_type": "boss"}), Some("user_type")),
        (json!({"version": 1, "common_name": "other"}), None),
        (json!({"version": 99_999_999_999u64}), Some("version")),
    ] {
        let refused = edit(&rig, id, 400, body.clone()).await;
        assert_eq!(refused["error"], "invalid_body", "{body}: {refused}");
        if let Some(field) = field {
            assert_eq!(refused["field"], field, "{body}: {refused}");
        }
    }
    edit(&rig, 999, 404, json!({"version": 1})).await;
    let viewer = rig
        .send_as(
            &[Role::Viewer],
            "PATCH",
            &format!("/api/vpn-users/{id}"),
            Some(json!({"version": 1})),
        )
        .await;
    viewer.expect(403);
}
