//! The payloads of the owner's own documents give exactly the sessions that they tell of.

use serde_json::{Value, json};
use test_support::{Reply, Stack, contains};

/// The agent's page in the readme, to the letter; its ids are placeholders that are no UUIDs.
const README: &str = r#"{
  "server_id": "vpn-unique-id-from-portal",
  "sent_at": "2026-02-13T12:00:00Z",
  "events": [
    {
      "event_id": "unique-uuid-v4",
      "seq": 1,
      "type": "SESSION_CONNECTED",
      "common_name": "jdoe@company.com",
      "real_ip": "203.0.113.5",
      "real_port": "1194",
      "virtual_ip": "10.8.0.2",
      "event_time_vpn": "2026-02-13T12:00:00Z"
    },
    {
      "event_id": "unique-uuid-v4-2",
      "seq": 2,
      "type": "SESSION_DISCONNECTED",
      "common_name": "jdoe@company.com",
      "event_time_vpn": "2026-02-13T12:30:00Z"
    }
  ]
}"#;
const CONNECT: &str = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
const DISCONNECT: &str = "9b2e4d1c-7a30-4f5e-8c61-d2f0a9b87e65";

async fn post(stack: &Stack, server: &str, body: String) -> Reply {
    let request = stack
        .agent(server)
        .request(reqwest::Method::POST, "/api/v1/events")
        .await;
    Reply::to(request.header("content-type", "application/json").body(body)).await
}

/// Null stands for what the payload does not tell.
fn jdoes_session() -> Value {
    json!({
        "id": CONNECT, "common_name": "jdoe@company.com", "server_instance": "vpn-unique-id-from-portal",
        "real_ip": "203.0.113.5", "real_port": 1194, "virtual_ip": "10.8.0.2", "virtual_ip6": null,
        "connected_at": "2026-02-13T12:00:00.000Z", "last_seen_at": "2026-02-13T12:30:00.000Z",
        "disconnected_at": "2026-02-13T12:30:00.000Z", "duration_seconds": 1800, "bytes_in": null, "bytes_out": null,
        "session_status": "disconnected", "ended_by": "reported", "disconnect_reason": null,
    })
}

#[tokio::test]
async fn the_readmes_payload_gives_its_one_session() {
    let stack = Stack::builder().nginx().start().await;
    let body = README
        .replace("unique-uuid-v4-2", DISCONNECT)
        .replace("\"unique-uuid-v4\"", &format!("\"{CONNECT}\""));
    let answer = post(&stack, "vpn-unique-id-from-portal", body.clone())
        .await
        .expect(200)
        .json();
    let counts = json!({"status": "ok", "events_received": 2, "events_accepted": 2, "sessions_created": 1,
        "sessions_updated": 1, "duplicates": 0, "errors": []});
    assert_eq!(answer, counts);
    let list = json!({"total": 1, "page": 1, "per_page": 50, "pages": 1, "sessions": [jdoes_session()]});
    stack.api().shows("/api/sessions", &list).await;
    stack
        .api()
        .shows(
            "/api/vpn-users",
            &json!({"total": 1, "users": [{"common_name": "jdoe@company.com", "vpn_status": "inactive"}]}),
        )
        .await;

    let again = post(&stack, "vpn-unique-id-from-portal", body).await.expect(200).json();
    assert!(
        contains(
            &again,
            &json!({"sessions_created": 0, "sessions_updated": 0, "duplicates": 2})
        ),
        "{again}"
    );
    stack.api().shows("/api/sessions", &list).await;
}

#[tokio::test]
async fn a_placeholder_instead_of_an_id_is_refused_and_the_good_event_kept() {
    let stack = Stack::builder().nginx().start().await;
    let body = README.replace("\"unique-uuid-v4\"", &format!("\"{CONNECT}\""));
    let answer = post(&stack, "vpn-unique-id-from-portal", body).await.expect(200).json();
    let refused = json!({"events_received": 2, "events_accepted": 1, "sessions_created": 1, "sessions_updated": 0,
        "errors": [{"index": 1, "event_id": "unique-uuid-v4-2", "error": "invalid_event_id"}]});
    assert!(contains(&answer, &refused), "{answer}");
    stack
        .api()
        .shows(
            "/api/sessions",
            &json!({"total": 1, "sessions": [{"id": CONNECT, "session_status": "active"}]}),
        )
        .await;
    let letter = json!({"event_id": "unique-uuid-v4-2", "error": "invalid_event_id", "server_instance": "vpn-unique-id-from-portal"});
    stack
        .api()
        .shows("/api/events/rejected", &json!({"total": 1, "events": [letter]}))
        .await;

    let reply = post(&stack, "vpn-unique-id-from-portal", README.to_owned())
        .await
        .expect(422)
        .json();
    assert_eq!(
        (&reply["error"], &reply["events_accepted"]),
        (&json!("no_acceptable_event"), &json!(0)),
        "{reply}"
    );
    // The second event was refused before, in the same words: one letter is enough.
    stack.api().shows("/api/events/rejected", &json!({"total": 2})).await;
}

/// The architecture document's request: its numbers are ten events, five sessions created and five updated. Its processor
/// sorts by `seq`, wants a `virtual_ip` with each disconnect and reads `real_port` from a string or a number.
fn architecture_payload() -> Value {
    let mut events = Vec::new();
    for user in 1..=5 {
        let common_name = format!("user{user}@company.com");
        let virtual_ip = format!("10.8.0.{}", 10 + user);
        let port = if user % 2 == 0 {
            json!(50_000 + user)
        } else {
            json!((50_000 + user).to_string())
        };
        events.push(
            json!({"event_id": id(user), "seq": user, "type": "SESSION_CONNECTED", "common_name": common_name,
            "real_ip": format!("203.0.113.{user}"), "real_port": port, "virtual_ip": virtual_ip,
            "event_time_vpn": format!("2026-02-09T14:0{user}:00Z")}),
        );
        events.push(json!({"event_id": id(user + 5), "seq": user + 5, "type": "SESSION_DISCONNECTED",
            "common_name": common_name, "virtual_ip": virtual_ip, "event_time_vpn": format!("2026-02-09T16:2{user}:00+02:00")}));
    }
    // Out of order, as batches are.
    events.reverse();
    json!({"server_id": "vpn-prod-01", "sent_at": "2026-02-09T14:30:45Z", "events": events})
}

fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[tokio::test]
async fn the_architecture_documents_payload_gives_its_five_sessions() {
    let stack = Stack::builder().nginx().start().await;
    let answer = post(&stack, "vpn-prod-01", architecture_payload().to_string())
        .await
        .expect(200)
        .json();
    let counts = json!({"status": "ok", "events_received": 10, "events_accepted": 10, "sessions_created": 5,
        "sessions_updated": 5, "duplicates": 0, "errors": []});
    assert_eq!(answer, counts);
    let session = |user: u64| {
        json!({
            "id": id(user), "common_name": format!("user{user}@company.com"), "server_instance": "vpn-prod-01",
            "real_ip": format!("203.0.113.{user}"), "real_port": 50_000 + user, "virtual_ip": format!("10.8.0.{}", 10 + user),
            "connected_at": format!("2026-02-09T14:0{user}:00.000Z"),
            "disconnected_at": format!("2026-02-09T14:2{user}:00.000Z"), "duration_seconds": 1200,
            "bytes_in": null, "bytes_out": null, "session_status": "disconnected", "ended_by": "reported",
        })
    };
    let newest_first: Vec<Value> = (1..=5).rev().map(session).collect();
    stack
        .api()
        .shows("/api/sessions", &json!({"total": 5, "sessions": newest_first}))
        .await;
    stack.api().shows("/api/events/unmatched", &json!({"total": 0})).await;
}
