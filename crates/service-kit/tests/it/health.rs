//! Health, readiness and metrics.

use reqwest::Method;
use serde_json::json;

use crate::demo;
use crate::support::{Demo, header, problem};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_dependencies_answer_is_ready() {
    let demo = Demo::start(demo::service().check("postgres", || async { Ok(()) })).await;
    assert_eq!(demo.get("/healthz").await.status(), 200);
    let (status, _, body) = problem(demo.get("/readyz").await).await;
    assert_eq!(status, 200);
    assert_eq!(body, json!({"status": "ok", "checks": {"postgres": {"status": "ok"}}}));
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_dependency_is_named_and_the_service_not_ready() {
    let service = demo::service()
        .check("postgres", || async { Ok(()) })
        .check("nats", || async { Err("connection refused".to_owned()) })
        .check("redis", || async { panic!("a broken check") });
    let demo = Demo::start(service).await;
    let (status, _, body) = problem(demo.get("/readyz").await).await;
    assert_eq!((status, &body["status"]), (503, &json!("unavailable")));
    assert_eq!(
        body["checks"]["nats"],
        json!({"status": "failed", "detail": "connection refused"})
    );
    assert_eq!(body["checks"]["postgres"], json!({"status": "ok"}));
    assert_eq!(body["checks"]["redis"]["status"], "failed");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_that_does_not_answer_counts_as_failed() {
    let demo = Demo::start(demo::service().check("nats", std::future::pending)).await;
    let (status, _, body) = problem(demo.get("/readyz").await).await;
    assert_eq!(status, 503);
    assert_eq!(body["checks"]["nats"]["detail"], "no answer within 2 s");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_route_and_not_by_path() {
    let demo = Demo::start(demo::service()).await;
    demo.get("/items/4711").await;
    demo.get("/nowhere/4712").await;
    demo.request(Method::from_bytes(b"BREW").expect("a method"), "/teapot")
        .send()
        .await
        .expect("an answer");
    let response = demo.get("/metrics").await;
    assert_eq!(
        header(&response, "content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = response.text().await.expect("a body");
    for expected in [
        r#"http_requests_total{method="GET",route="/items/{id}",status="200"}"#,
        r#"http_requests_total{method="GET",route="unmatched",status="404"}"#,
        r#"http_requests_total{method="other","#,
        r#"http_request_duration_seconds_bucket{method="GET",route="/items/{id}",status="200",le="0.005"}"#,
        "process_start_time_seconds ",
        r#"service_info{service="demo","#,
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("471"), "a path became a label:\n{text}");
    demo.stop().await;
}
