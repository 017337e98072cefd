//! The OpenAPI document as clients are generated from it. `UPDATE_OPENAPI=1` writes it anew.

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_snapshot_is_the_document_that_is_served() {
    let mut current = auth::routes::openapi().unwrap().to_pretty_json().unwrap();
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
fn the_document_says_which_roles_may_call_an_operation() {
    let document = serde_json::to_value(auth::routes::openapi().unwrap()).unwrap();
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    assert_eq!(security("/api/auth/login", "post"), serde_json::json!([]));
    let any = serde_json::json!([{"bearerAuth": ["admin", "operator", "viewer", "auditor"]}]);
    assert_eq!(security("/api/auth/me", "get"), any);
}
