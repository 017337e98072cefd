//! Whatever goes wrong is told as problem+json.

use reqwest::{Method, RequestBuilder};

use crate::demo;
use crate::support::{Demo, header, problem};

async fn assert_problem(request: RequestBuilder, status: u16, error: &str) {
    let response = request.send().await.expect("an answer");
    let id = header(&response, "x-request-id");
    let (got_status, kind, body) = problem(response).await;
    assert_eq!(
        (got_status, kind.as_str()),
        (status, "application/problem+json"),
        "{body}"
    );
    assert_eq!(
        (&body["status"], &body["error"]),
        (&status.into(), &error.into()),
        "{body}"
    );
    assert_eq!(
        (&body["type"], &body["request_id"]),
        (&"about:blank".into(), &id.into()),
        "{body}"
    );
    assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
}

fn post(demo: &Demo, body: impl Into<reqwest::Body>) -> RequestBuilder {
    demo.request(Method::POST, "/items")
        .header("content-type", "application/json")
        .body(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_request_is_a_problem() {
    let demo = Demo::start(demo::service()).await;
    assert_problem(demo.request(Method::GET, "/nowhere"), 404, "not_found").await;
    assert_problem(demo.request(Method::DELETE, "/healthz"), 405, "method_not_allowed").await;
    assert_problem(demo.request(Method::PATCH, "/items"), 405, "method_not_allowed").await;
    assert_problem(demo.request(Method::GET, "/items/many"), 400, "invalid_path").await;
    assert_problem(demo.request(Method::GET, "/items/1?page=x"), 400, "invalid_query").await;
    assert_problem(post(&demo, "{"), 400, "invalid_json").await;
    assert_problem(post(&demo, r#"{"name":"a"}"#), 400, "invalid_body").await;
    assert_problem(post(&demo, vec![b' '; 4096]), 413, "payload_too_large").await;
    assert_problem(
        demo.request(Method::POST, "/items").body("{}"),
        415,
        "unsupported_media_type",
    )
    .await;
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_told_the_right_ones() {
    let demo = Demo::start(demo::service()).await;
    for (method, path, allowed) in [(Method::PATCH, "/items", "POST"), (Method::DELETE, "/healthz", "GET")] {
        let response = demo.request(method, path).send().await.expect("an answer");
        assert_eq!(
            (response.status().as_u16(), header(&response, "allow").as_str()),
            (405, allowed),
            "{path}"
        );
    }
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_carries_its_members_and_headers() {
    let demo = Demo::start(demo::service()).await;
    let response = demo.get("/teapot").await;
    assert_eq!(header(&response, "retry-after"), "7");
    let (status, _, body) = problem(response).await;
    assert_eq!(
        (status, &body["spouts"], &body["detail"]),
        (418, &1.into(), &"Short and stout.".into())
    );
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cause_of_an_internal_error_is_never_sent() {
    let demo = Demo::start(demo::service()).await;
    for path in ["/broken", "/foreign-error"] {
        assert_problem(demo.request(Method::GET, path), 500, "internal_error").await;
        assert!(!demo.get(path).await.text().await.expect("a body").contains("secret"));
    }
    demo.stop().await;
}
