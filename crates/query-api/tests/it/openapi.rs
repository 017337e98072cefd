//! The OpenAPI document as clients are generated from it. `UPDATE_OPENAPI=1` writes it anew.

use query_api::routes::{ROUTES, openapi};

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
fn every_operation_has_an_id_a_summary_and_its_roles() {
    let document = serde_json::to_value(openapi().unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        for member in ["operationId", "summary", "security"] {
            assert!(!operation[member].is_null(), "{} has no {member}", route.path);
        }
    }
}

#[test]
fn every_list_is_paged_in_the_same_way() {
    let document = serde_json::to_value(openapi().unwrap()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in [
        "AuditLogList",
        "SessionList",
        "VpnUserList",
        "ServerList",
        "UnmatchedList",
        "RejectedList",
    ] {
        let text = schemas[name].to_string();
        assert!(text.contains("PageInfo"), "{name}: {text}");
    }
}

#[test]
fn every_schema_that_is_named_is_there() {
    let document = serde_json::to_value(openapi().unwrap()).unwrap();
    let text = document.to_string();
    let named = text
        .split("\"#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    for name in named {
        assert!(
            !document["components"]["schemas"][name].is_null(),
            "there is no schema {name}"
        );
    }
}
