//! `GET /api/v1/commands` and what is reported of commands.

mod polls;

use serde_json::{Value, json};
use test_support::Reply;
use uuid::Uuid;

use crate::support::{Ingest, SECRET, assert_problem};

/// Long enough that no test takes it for a timeout of its own.
const WAIT: &str = "/api/v1/commands?wait_seconds=60&denials_version=";

async fn poll(ingest: &Ingest, path: &str) -> Reply {
    Reply::to(request(ingest, path, &ingest.key)).await
}

fn request(ingest: &Ingest, path: &str, key: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new()
        .get(format!("http://{}{path}", ingest.address()))
        .bearer_auth(key)
}

/// Stores a command of the first session of `jdoe` on a server, as query-api does.
async fn command(ingest: &Ingest, id: u128, server: &str) {
    let id = Uuid::from_u128(id);
    ingest
        .database
        .sql(&format!(
            "INSERT INTO vpn_user (common_name) VALUES ('jdoe') ON CONFLICT DO NOTHING;
             INSERT INTO session_command (id, session_id, server_id, vpn_user_id, kind, requested_by, requested_by_name, reason, requested_at, expires_at)
             SELECT '{id}', '{}', s.id, u.id, 'terminate', 1, 'admin', 'why', now(), now() + interval '1 minute'
             FROM vpn_server s, vpn_user u WHERE s.name = '{server}'",
            Uuid::from_u128(id.as_u128() + 1_000)
        ))
        .await;
}

async fn deny(ingest: &Ingest, command: u128) {
    let id = Uuid::from_u128(command);
    ingest
        .database
        .sql(&format!(
            "INSERT INTO vpn_denial (id, server_id, vpn_user_id, requested_by, requested_by_name, reason, created_at, deny_until)
             SELECT id, server_id, vpn_user_id, 1, 'admin', 'why', now(), now() + interval '1 hour' FROM session_command WHERE id = '{id}'"
        ))
        .await;
}

async fn server_key(ingest: &Ingest, name: &str) -> i32 {
    let key = ingest
        .database
        .count(&format!("SELECT id FROM vpn_server WHERE name = '{name}'"))
        .await;
    key.try_into().expect("an integer")
}

async fn state(ingest: &Ingest, command: u128) -> Value {
    let id = Uuid::from_u128(command);
    let rows = ingest
        .database
        .rows(&format!("SELECT * FROM session_command WHERE id = '{id}'"))
        .await;
    rows[0].clone()
}

async fn report(ingest: &Ingest, command: u128, body: Value) -> Reply {
    let path = format!("/api/v1/commands/{}/result", Uuid::from_u128(command));
    Reply::to(ingest.post(&path, body.to_string())).await
}

#[tokio::test]
async fn what_is_there_already_is_answered_at_once_and_counts_as_delivered() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    let answer = poll(&ingest, WAIT).await.expect(200).json();
    let only = &answer["commands"][0];
    assert_eq!(answer["commands"].as_array().unwrap().len(), 1);
    assert_eq!(only["id"], json!(Uuid::from_u128(1)));
    assert_eq!(only["session_id"], json!(Uuid::from_u128(1_001)));
    assert_eq!(
        (&only["kind"], &only["common_name"], &only["watch_seconds"]),
        (&json!("terminate"), &json!("jdoe"), &json!(30))
    );
    let left = only["expires_in_ms"].as_i64().unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
    assert_eq!(
        (&answer["denials"], &answer["denials_version"]),
        (&json!([]), &json!(""))
    );
    let stored = state(&ingest, 1).await;
    assert_eq!(stored["state"], "delivered");
    assert!(!stored["delivered_at"].is_null());
}

#[tokio::test]
async fn a_delivery_is_made_again_until_the_agent_has_reported() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    let first = poll(&ingest, WAIT).await.expect(200).json();
    let again = poll(&ingest, WAIT).await.expect(200).json();
    assert_eq!(first["commands"][0]["id"], again["commands"][0]["id"]);
    report(&ingest, 1, json!({"state": "accepted"})).await.expect(200);
    let none = poll(&ingest, "/api/v1/commands?wait_seconds=0")
        .await
        .expect(200)
        .json();
    assert_eq!(none["commands"], json!([]));
}

#[tokio::test]
async fn a_command_that_has_expired_is_not_delivered() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    ingest
        .database
        .sql("UPDATE session_command SET requested_at = now() - interval '2 minutes', expires_at = now() - interval '1 second'")
        .await;
    let answer = poll(&ingest, "/api/v1/commands").await.expect(200).json();
    assert_eq!(answer["commands"], json!([]));
    assert_eq!(state(&ingest, 1).await["state"], "requested");
}

#[tokio::test]
async fn another_list_of_denials_is_answered_at_once_and_an_applied_one_is_noted() {
    let ingest = Ingest::with(|config| config.limits.ingest_command_look_ms = 100).await;
    command(&ingest, 1, "vpn-1").await;
    report(&ingest, 1, json!({"state": "failed", "failure": "why"}))
        .await
        .expect(200);
    let (answer, ()) = tokio::join!(poll(&ingest, WAIT), deny(&ingest, 1));
    let answer = answer.expect(200).json();
    assert_eq!(answer["denials"][0]["common_name"], "jdoe");
    assert_eq!(answer["denials"][0]["id"], json!(Uuid::from_u128(1)));
    assert!(answer["denials"][0]["expires_in_ms"].as_i64().unwrap() > 3_500_000);
    let applied = "SELECT count(*) FROM vpn_denial WHERE applied_at IS NOT NULL";
    assert_eq!(
        ingest.database.count(applied).await,
        0,
        "the agent has not stored it yet"
    );
    let version = answer["denials_version"].as_str().unwrap();
    let known = format!("/api/v1/commands?wait_seconds=0&denials_version={version}");
    poll(&ingest, &known).await.expect(200);
    assert_eq!(ingest.database.count(applied).await, 1);
    // A poll of an agent that has the list waits; revoking wakes it.
    let known = format!("/api/v1/commands?wait_seconds=60&denials_version={version}");
    let (answer, _) = tokio::join!(
        poll(&ingest, &known),
        ingest
            .database
            .sql("UPDATE vpn_denial SET revoked_at = now(), revoked_by_name = 'admin'")
    );
    assert_eq!(answer.expect(200).json()["denials"], json!([]));
}

#[tokio::test]
async fn two_replicas_hand_out_the_same_command_and_it_is_delivered_once() {
    let ingest = Ingest::start().await;
    let other = ingest.replica().await;
    command(&ingest, 1, "vpn-1").await;
    let url = format!("http://{}{WAIT}", other.address());
    let there = Reply::to(reqwest::Client::new().get(url).bearer_auth(&ingest.key));
    let (here, there) = tokio::join!(poll(&ingest, WAIT), there);
    assert_eq!(
        here.expect(200).json()["commands"][0]["id"],
        there.expect(200).json()["commands"][0]["id"]
    );
    let delivered = state(&ingest, 1).await["delivered_at"].clone();
    poll(&ingest, WAIT).await.expect(200);
    assert_eq!(
        state(&ingest, 1).await["delivered_at"],
        delivered,
        "the first delivery counts"
    );
}

#[tokio::test]
async fn an_agent_gets_and_reports_on_the_commands_of_its_own_server_only() {
    let ingest = Ingest::start().await;
    ingest.register("vpn-2", "abcdefghij02").await;
    command(&ingest, 2, "vpn-2").await;
    let answer = poll(&ingest, "/api/v1/commands").await.expect(200).json();
    assert_eq!(answer["commands"], json!([]));
    let reply = report(&ingest, 2, json!({"state": "accepted"})).await;
    assert_problem(&reply, 404, "unknown_command");
    assert_eq!(state(&ingest, 2).await["state"], "requested");
    let reply = report(&ingest, 9, json!({"state": "accepted"})).await;
    assert_problem(&reply, 404, "unknown_command");
}

#[tokio::test]
async fn reports_move_forward_only_and_may_come_again() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    poll(&ingest, WAIT).await.expect(200);
    let told = async |body: Value| {
        let reply = report(&ingest, 1, body).await.expect(200);
        reply.json()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        told(json!({"state": "gone", "ms_ago": 0, "accepted_ms_ago": 0})).await,
        "gone"
    );
    let gone = state(&ingest, 1).await;
    assert_eq!(
        told(json!({"state": "accepted", "ms_ago": 0})).await,
        "gone",
        "an older report comes late"
    );
    assert_eq!(
        told(json!({"state": "failed", "failure": "x"})).await,
        "gone",
        "what is gone cannot fail"
    );
    assert_eq!(told(json!({"state": "gone", "ms_ago": 0})).await, "gone");
    assert_eq!(state(&ingest, 1).await, gone, "nothing of it changes anything");
    let new = Uuid::from_u128(77);
    let back = json!({"state": "reconnected", "ms_ago": 0, "gone_ms_ago": 5, "reconnected_session_id": new});
    assert_eq!(told(back.clone()).await, "reconnected");
    let end = state(&ingest, 1).await;
    assert_eq!(end["reconnected_session_id"], json!(new));
    assert_eq!(end["gone_at"], gone["gone_at"]);
    assert_eq!(
        told(json!({"state": "stayed_gone"})).await,
        "reconnected",
        "an end stays"
    );
    assert_eq!(told(back).await, "reconnected");
    assert_eq!(state(&ingest, 1).await, end);
}

#[tokio::test]
async fn a_failure_says_why() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    report(
        &ingest,
        1,
        json!({"state": "failed", "failure": "not attached", "ms_ago": 1}),
    )
    .await
    .expect(200);
    let stored = state(&ingest, 1).await;
    assert_eq!(
        (&stored["state"], &stored["failure"]),
        (&json!("failed"), &json!("not attached"))
    );
    assert!(!stored["failed_at"].is_null() && !stored["delivered_at"].is_null());
}

#[tokio::test]
async fn what_is_no_poll_and_no_report_is_refused() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    for query in [
        "wait_seconds=61",
        "wait_seconds=-1",
        "wait_seconds=x",
        "wait_second=1",
        "denials_version=%00",
        &format!("denials_version={}", "x".repeat(65)),
    ] {
        let reply = poll(&ingest, &format!("/api/v1/commands?{query}")).await;
        assert_problem(&reply, 400, "invalid_parameter");
    }
    for body in [
        json!({}),
        json!({"state": "delivered"}),
        json!({"state": "expired"}),
        json!({"state": "accepted", "ms_ago": -1}),
        json!({"state": "accepted", "ms_ago": 99_999_999_999_u64}),
        json!({"state": "accepted", "failure": "x"}),
        json!({"state": "failed"}),
        json!({"state": "failed", "failure": " "}),
        json!({"state": "failed", "failure": "x".repeat(501)}),
        json!({"state": "failed", "failure": "a\u{0}b"}),
        json!({"state": "gone", "reconnected_session_id": Uuid::nil()}),
        json!({"state": "gone", "server": 1}),
    ] {
        let reply = report(&ingest, 1, body).await;
        assert_problem(&reply, 400, "invalid_body");
    }
    assert_eq!(state(&ingest, 1).await["state"], "requested");
    let reply = Reply::to(ingest.post("/api/v1/commands/x/result", r#"{"state": "accepted"}"#)).await;
    assert_problem(&reply, 404, "unknown_command");
}

#[tokio::test]
async fn a_stranger_hears_of_the_key_only() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    let key = format!("ovt_unknown00001_{SECRET}");
    for path in [WAIT, "/api/v1/commands?nonsense"] {
        assert_problem(&Reply::to(request(&ingest, path, &key)).await, 401, "invalid_api_key");
    }
    let url = format!("http://{}/api/v1/commands/x/result", ingest.address());
    let reply = Reply::to(reqwest::Client::new().post(url).bearer_auth(&key).body("{")).await;
    assert_problem(&reply, 401, "invalid_api_key");
}

#[tokio::test]
async fn without_a_database_polls_and_reports_are_put_off() {
    let ingest = Ingest::start().await;
    command(&ingest, 1, "vpn-1").await;
    poll(&ingest, "/api/v1/commands").await.expect(200);
    ingest
        .database
        .sql("ALTER TABLE session_command RENAME TO elsewhere")
        .await;
    let reply = poll(&ingest, "/api/v1/commands").await;
    assert_problem(&reply, 503, "database_unavailable");
    assert!(reply.header("retry-after").is_some());
    let reply = report(&ingest, 1, json!({"state": "accepted"})).await;
    assert_problem(&reply, 503, "database_unavailable");
}
