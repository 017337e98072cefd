use std::path::Path;

/// `UPDATE_OPENAPI=1` writes the snapshot anew.
#[test]
fn the_openapi_document_is_as_it_was_reviewed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = ingest::routes::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        document == reviewed,
        "crates/ingest/openapi.json is stale: `make generate` writes it anew"
    );
}
