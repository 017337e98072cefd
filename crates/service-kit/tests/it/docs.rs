//! The API's documentation.

use crate::demo;
use crate::support::{Demo, header};

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_are_served() {
    let demo = Demo::start(demo::service()).await;
    let document: serde_json::Value = demo
        .get("/api-docs/demo/openapi.json")
        .await
        .json()
        .await
        .expect("a JSON document");
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1")),
        "{document}"
    );
    assert!(document["paths"]["/items/{id}"]["get"].is_object(), "{document}");
    let page = demo.get("/api-docs/demo").await;
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/api-docs/demo/"));
    assert!(header(&page, "content-type").starts_with("text/html"));
    assert_eq!(demo.get("/api-docs/demo/swagger-ui-bundle.js").await.status(), 200);
    demo.stop().await;
}
