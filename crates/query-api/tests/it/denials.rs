//! `GET /api/denials`, `DELETE /api/denials/{id}`, and that agents are told.

use bus::{Bus, BusConfig};
use domain::role::Role;
use futures_util::StreamExt;
use serde_json::{Value, json};
use test_support::{TestDatabase, shared_servers, test_namespace};
use uuid::Uuid;

use crate::rig::{Rig, Row};

const ADMIN: &[Role] = &[Role::Admin];

/// Session 1 is active, and an admin has asked for its end with a denial of an hour.
async fn one_denial(rig: &Rig) -> Value {
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z").insert(rig).await;
    let path = format!("/api/sessions/{}?reason=x&deny_seconds=3600", Uuid::from_u128(1));
    rig.send_as(ADMIN, "DELETE", &path, None).await.expect(202).json()
}

async fn denials(rig: &Rig, query: &str) -> Vec<Value> {
    let list = rig.get(&format!("/api/denials?{query}")).await;
    list["denials"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_denial_is_listed_until_it_is_revoked_and_that_is_audited() {
    let rig = Rig::start().await;
    let command = one_denial(&rig).await;
    let listed = denials(&rig, "state=in_force").await;
    assert_eq!(listed.len(), 1);
    let denial = &listed[0];
    assert_eq!(
        (&denial["id"], &denial["deny_until"]),
        (&command["id"], &command["deny_until"])
    );
    assert_eq!(
        (
            &denial["common_name"],
            &denial["server_instance"],
            &denial["reason"],
            &denial["requested_by"]
        ),
        (&json!("jdoe"), &json!("vpn-1"), &json!("x"), &json!("somebody"))
    );
    assert_eq!(
        (&denial["state"], &denial["applied_at"]),
        (&json!("in_force"), &Value::Null)
    );

    let path = format!("/api/denials/{}", denial["id"].as_str().unwrap());
    rig.send_as(&[Role::Operator], "DELETE", &path, None).await.expect(403);
    let revoked = rig.send_as(ADMIN, "DELETE", &path, None).await.expect(200).json();
    assert_eq!(
        (&revoked["state"], &revoked["revoked_by"]),
        (&json!("revoked"), &json!("somebody"))
    );
    assert!(denials(&rig, "state=in_force").await.is_empty());
    assert_eq!(denials(&rig, "").await, [revoked]);
    let again = rig.send_as(ADMIN, "DELETE", &path, None).await.expect(409).json();
    assert_eq!(again["error"], "not_in_force");

    let audited = rig
        .database
        .rows("SELECT object_id, details_json FROM audit_log WHERE action = 'revoke' AND object_type = 'vpn_denial'")
        .await;
    assert_eq!(audited.len(), 1);
    assert_eq!(audited[0]["object_id"], denial["id"]);
    assert_eq!(audited[0]["details_json"]["common_name"], "jdoe");
}

#[tokio::test]
async fn a_denial_whose_time_is_over_is_not_in_force_and_cannot_be_revoked() {
    let rig = Rig::start().await;
    let command = one_denial(&rig).await;
    rig.database
        .sql("UPDATE vpn_denial SET created_at = now() - interval '2 hours', deny_until = now() - interval '1 second'")
        .await;
    assert!(denials(&rig, "state=in_force").await.is_empty());
    assert_eq!(denials(&rig, "").await[0]["state"], "expired");
    let path = format!("/api/denials/{}", command["id"].as_str().unwrap());
    rig.send_as(ADMIN, "DELETE", &path, None).await.expect(409);
}

#[tokio::test]
async fn a_termination_without_a_denial_denies_nobody_and_filters_narrow() {
    let rig = Rig::start().await;
    let command = one_denial(&rig).await;
    let (server, user) = (rig.server("vpn-2").await, rig.user("alice").await);
    Row::session(2, server, user, "2026-02-13T12:00:00Z").insert(&rig).await;
    let path = format!("/api/sessions/{}?reason=x", Uuid::from_u128(2));
    rig.send_as(ADMIN, "DELETE", &path, None).await.expect(202);
    assert_eq!(denials(&rig, "").await.len(), 1);
    assert_eq!(denials(&rig, "server_instance=vpn-1").await.len(), 1);
    assert!(denials(&rig, "server_instance=vpn-2").await.is_empty());
    let of_user = format!("vpn_user_id={}", command["vpn_user_id"]);
    assert_eq!(denials(&rig, &of_user).await.len(), 1);
    assert!(denials(&rig, &format!("vpn_user_id={user}")).await.is_empty());
}

#[tokio::test]
async fn what_is_no_list_and_no_denial_is_refused() {
    let rig = Rig::start().await;
    rig.refuses("/api/denials?state=expired", "invalid_parameter", "state")
        .await;
    rig.refuses("/api/denials?vpn_user_id=x", "invalid_parameter", "vpn_user_id")
        .await;
    rig.send_as(ADMIN, "DELETE", "/api/denials/x", None).await.expect(400);
    let unknown = format!("/api/denials/{}", Uuid::from_u128(9));
    rig.send_as(ADMIN, "DELETE", &unknown, None).await.expect(404);
}

#[tokio::test]
async fn agents_are_told_of_a_request_and_of_a_revocation_after_the_commit() {
    let namespace = test_namespace();
    let bus = Bus::connect(&BusConfig::new(&shared_servers().nats_url, namespace.clone()))
        .await
        .unwrap();
    let mut waiting = bus.subscribe_commands_waiting().await.unwrap();
    let rig = Rig::with(TestDatabase::create().await, &[("BUS_NAMESPACE", &namespace)]).await;
    let command = one_denial(&rig).await;
    let server = i32::try_from(command["server_key"].as_i64().unwrap()).unwrap();
    assert_eq!(waiting.next().await.unwrap(), [server]);
    let path = format!("/api/denials/{}", command["id"].as_str().unwrap());
    rig.send_as(ADMIN, "DELETE", &path, None).await.expect(200);
    assert_eq!(waiting.next().await.unwrap(), [server]);
}

#[tokio::test]
async fn a_command_that_its_agent_does_not_answer_is_not_called_undone() {
    let rig = Rig::start().await;
    one_denial(&rig).await;
    let stored = async |state: &str, age: &str| {
        let sql = format!(
            "UPDATE session_command SET state = '{state}', requested_at = now() - interval '1 hour', expires_at = now() - interval '{age}'"
        );
        rig.database.sql(&sql).await;
        let list = rig.get("/api/commands").await;
        let shown = list["commands"][0]["state"].as_str().unwrap().to_owned();
        // The filter sees it as the list shows it.
        let found = rig.get(&format!("/api/commands?state={shown}")).await;
        assert_eq!(found["commands"].as_array().unwrap().len(), 1, "{shown}");
        shown
    };
    assert_eq!(stored("requested", "1 second").await, "expired");
    assert_eq!(
        stored("delivered", "1 second").await,
        "delivered",
        "the agent may still answer"
    );
    for state in ["delivered", "accepted", "gone"] {
        assert_eq!(stored(state, "10 minutes").await, "unanswered");
    }
    assert_eq!(stored("stayed_gone", "10 minutes").await, "stayed_gone");
}
