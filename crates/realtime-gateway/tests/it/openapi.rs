//! The OpenAPI document as clients are generated from it. `UPDATE_OPENAPI=1` writes it anew.

use realtime_gateway::routes::openapi;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_snapshot_is_the_document_that_is_served() {
    let mut current = openapi().unwrap().to_pretty_json().unwrap();
    current.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(SNAPSHOT, &current).unwrap();
    }
    let snapshot = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    assert!(
        current == snapshot,
        "openapi.json is stale: run this test with UPDATE_OPENAPI=1"
    );
}

#[test]
fn every_answer_to_a_request_for_a_socket_is_documented() {
    let document = serde_json::to_value(openapi().unwrap()).unwrap();
    let answers = document["paths"]["/ws"]["get"]["responses"].as_object().unwrap();
    for status in ["101", "400", "403", "503"] {
        assert!(answers.contains_key(status), "{status}");
    }
}
