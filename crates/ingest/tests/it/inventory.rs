use serde_json::{Value, json};
use test_support::Reply;

use crate::support::{Ingest, assert_problem};

const PATH: &str = "/api/v1/inventory";

fn inventory() -> Value {
    json!({"server_id": "vpn-1", "taken_at": "2026-02-13T12:00:00Z",
        "certificates": [{"common_name": "jdoe", "serial": "0A1B", "expires_at": "2029-02-23T21:59:01Z"}],
        "ccds": [{"common_name": "jdoe", "ifconfig_ip": "10.8.0.9"}],
        "routes": [{"route_type": "push", "network": "10.1.0.0/16"}]})
}

#[tokio::test]
async fn an_inventory_is_stored_as_a_whole_before_the_answer() {
    let ingest = Ingest::start().await;
    let mut telemetry = ingest.telemetry().await;
    let request = ingest
        .put(PATH, inventory().to_string())
        .header("prefer", "respond-async");
    let reply = Reply::to(request).await.expect(202);
    assert_eq!(reply.json(), json!({"status": "accepted"}));
    let stored = ingest.stored(&mut telemetry).await;
    let request = &stored[0].requests[0];
    let inventory = request.inventory.as_ref().expect("an inventory");
    assert_eq!(inventory.certificates[0].serial, "a1b");
    assert_eq!(inventory.ccds[0].ifconfig_ip, Some(vec![10, 8, 0, 9]));
    assert_eq!(inventory.routes[0].common_name, None);
    assert!(request.events.is_empty());
}

#[tokio::test]
async fn an_inventory_with_anything_wrong_is_refused_and_nothing_is_stored() {
    let ingest = Ingest::with(|config| config.limits.ingest_max_inventory_entries = 3).await;
    let mut telemetry = ingest.telemetry().await;
    let put = |change: fn(&mut Value)| {
        let mut body = inventory();
        change(&mut body);
        Reply::to(ingest.put(PATH, body.to_string()))
    };
    let wrong = put(|body| body["certificates"][0]["serial"] = json!("xyz")).await;
    assert_problem(&wrong, 400, "invalid_inventory");
    assert_problem(&put(|body| body["taken_at"] = Value::Null).await, 400, "missing_field");
    assert_problem(
        &put(|body| body["server_id"] = json!("vpn-2")).await,
        403,
        "wrong_server_id",
    );
    let many = put(|body| body["ccds"].as_array_mut().unwrap().push(json!({"common_name": "b"}))).await;
    assert_problem(&many, 413, "too_many_entries");
    assert_problem(&Reply::to(ingest.put(PATH, "{")).await, 400, "invalid_json");
    assert_problem(
        &Reply::to(
            ingest
                .put(PATH, inventory().to_string())
                .header("content-encoding", "br"),
        )
        .await,
        415,
        "unsupported_content_encoding",
    );
    assert!(ingest.stored(&mut telemetry).await.is_empty());
}
