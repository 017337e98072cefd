//! `DELETE /api/sessions/{id}`, `POST /api/sessions/terminate`, `GET /api/commands`.

use domain::role::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rig::{Rig, Row};

const ADMIN: &[Role] = &[Role::Admin];

/// Sessions 1 and 2 are active, 3 has ended.
async fn three_sessions() -> Rig {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    for id in [1, 2] {
        Row::session(id, server, user, "2026-02-13T12:00:00Z")
            .insert(&rig)
            .await;
    }
    Row::session(3, server, user, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:30:00Z")
        .insert(&rig)
        .await;
    rig
}

fn path(id: u128, query: &str) -> String {
    format!("/api/sessions/{}?{query}", Uuid::from_u128(id))
}

async fn commands(rig: &Rig, query: &str) -> Vec<Value> {
    let list = rig.get(&format!("/api/commands?{query}")).await;
    list["commands"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_request_is_stored_audited_and_shown_with_its_session_and_nothing_is_ended() {
    let rig = three_sessions().await;
    let reply = rig
        .send_as(
            ADMIN,
            "DELETE",
            &path(1, "reason=left%20the%20company&deny_seconds=3600"),
            None,
        )
        .await
        .expect(202);
    let command = reply.json();
    assert_eq!(
        (
            &command["state"],
            &command["kind"],
            &command["reason"],
            &command["requested_by"]
        ),
        (
            &json!("requested"),
            &json!("terminate"),
            &json!("left the company"),
            &json!("somebody")
        )
    );
    let held = "SELECT count(*) FROM session_command WHERE deny_until - requested_at = interval '1 hour'
        AND expires_at - requested_at = interval '2 minutes'";
    assert_eq!(rig.database.count(held).await, 1);
    let detail = rig.get(&path(1, "")).await;
    assert_eq!(detail["session_status"], "active", "nobody has carried it out");
    assert_eq!(detail["commands"], json!([command]));
    let asked = detail["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["kind"] == "termination_requested");
    assert_eq!(asked.unwrap()["known_from"], "portal");
    let audited = rig
        .database
        .rows("SELECT action, object_type, object_id, details_json FROM audit_log WHERE action = 'terminate'")
        .await;
    assert_eq!(audited.len(), 1);
    assert_eq!(
        (
            &audited[0]["object_type"],
            &audited[0]["object_id"],
            &audited[0]["details_json"]["reason"]
        ),
        (
            &json!("vpn_session"),
            &json!(Uuid::from_u128(1)),
            &json!("left the company")
        )
    );
}

#[tokio::test]
async fn a_session_that_has_ended_is_unknown_or_is_asked_for_already_is_refused() {
    let rig = three_sessions().await;
    let refusal = async |id, status| {
        let reply = rig
            .send_as(ADMIN, "DELETE", &path(id, "reason=x"), None)
            .await
            .expect(status)
            .json();
        reply["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(refusal(3, 409).await, "session_ended");
    assert_eq!(refusal(9, 404).await, "not_found");
    rig.send_as(ADMIN, "DELETE", &path(1, "reason=x"), None)
        .await
        .expect(202);
    assert_eq!(refusal(1, 409).await, "already_requested");
    assert_eq!(rig.database.count("SELECT count(*) FROM session_command").await, 1);
    assert_eq!(
        rig.database
            .count("SELECT count(*) FROM audit_log WHERE action = 'terminate'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_request_that_nobody_took_is_expired_wherever_it_is_read_and_can_be_made_again() {
    let rig = three_sessions().await;
    rig.send_as(ADMIN, "DELETE", &path(1, "reason=x"), None)
        .await
        .expect(202);
    assert_eq!(commands(&rig, "state=requested").await.len(), 1);
    rig.database
        .sql("UPDATE session_command SET requested_at = now() - interval '3 minutes', expires_at = now() - interval '1 minute'")
        .await;
    assert_eq!(commands(&rig, "state=requested").await.len(), 0);
    let expired = commands(&rig, "state=expired").await;
    assert_eq!((expired.len(), &expired[0]["state"]), (1, &json!("expired")));
    assert_eq!(rig.get(&path(1, "")).await["commands"][0]["state"], "expired");
    rig.send_as(ADMIN, "DELETE", &path(1, "reason=again"), None)
        .await
        .expect(202);
    let states: Vec<Value> = commands(&rig, "")
        .await
        .iter()
        .map(|command| command["state"].clone())
        .collect();
    assert_eq!(states, ["requested", "expired"], "newest first");
}

#[tokio::test]
async fn several_sessions_are_answered_one_by_one() {
    let rig = three_sessions().await;
    let ids: Vec<Uuid> = [1, 2, 3, 9].map(Uuid::from_u128).to_vec();
    rig.send_as(ADMIN, "DELETE", &path(2, "reason=x"), None)
        .await
        .expect(202);
    let body = json!({"session_ids": ids, "reason": "maintenance\nof vpn-1"});
    let reply = rig
        .send_as(ADMIN, "POST", "/api/sessions/terminate", Some(body))
        .await
        .expect(202)
        .json();
    assert_eq!(reply["commands"].as_array().unwrap().len(), 1);
    assert_eq!(reply["commands"][0]["session_id"], json!(ids[0]));
    let refused: Vec<(&Value, &Value)> = reply["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["session_id"], &one["error"]))
        .collect();
    let expected = [
        (json!(ids[1]), json!("already_requested")),
        (json!(ids[2]), json!("session_ended")),
        (json!(ids[3]), json!("not_found")),
    ];
    assert!(
        refused
            .iter()
            .zip(&expected)
            .all(|(one, other)| *one.0 == other.0 && *one.1 == other.1),
        "{refused:?}"
    );
}

#[tokio::test]
async fn two_admins_at_once_make_one_request() {
    let rig = three_sessions().await;
    let ask = async || {
        rig.send_as(ADMIN, "DELETE", &path(1, "reason=x"), None)
            .await
            .status
            .as_u16()
    };
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    let mut statuses = [one, two, three];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409]);
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_named() {
    let rig = three_sessions().await;
    for (query, parameter) in [
        (String::new(), "reason"),
        (format!("reason={}", "x".repeat(501)), "reason"),
        ("reason=%20%20".to_owned(), "reason"),
        ("reason=x%00".to_owned(), "reason"),
        ("reason=x&deny_seconds=0".to_owned(), "deny_seconds"),
        ("reason=x&deny_seconds=99999999999999999999".to_owned(), "deny_seconds"),
    ] {
        let reply = rig
            .send_as(ADMIN, "DELETE", &path(1, &query), None)
            .await
            .expect(400)
            .json();
        assert_eq!(reply["parameter"], parameter, "{query}: {reply}");
    }
    let one = json!([Uuid::from_u128(1)]);
    for (body, field) in [
        (json!({"session_ids": [], "reason": "x"}), "session_ids"),
        (
            json!({"session_ids": [Uuid::from_u128(1), Uuid::from_u128(1)], "reason": "x"}),
            "session_ids",
        ),
        (json!({"session_ids": one, "reason": ""}), "reason"),
        (json!({"session_ids": one, "reason": "a\u{0}b"}), "reason"),
        (
            json!({"session_ids": one, "reason": "x", "deny_seconds": 0}),
            "deny_seconds",
        ),
        (json!({"session_ids": one, "reason": "x", "force": true}), "force"),
    ] {
        let reply = rig
            .send_as(ADMIN, "POST", "/api/sessions/terminate", Some(body.clone()))
            .await;
        let reply = reply.expect(400).json();
        assert_eq!(reply["error"], "invalid_body", "{body} {field}: {reply}");
    }
    assert_eq!(rig.database.count("SELECT count(*) FROM session_command").await, 0);
}
