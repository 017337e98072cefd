//! What every request has to be like, and what every answer carries.

use reqwest::Method;
use serde_json::json;

use crate::demo;
use crate::support::{Demo, header, problem};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_browsers_to_make_nothing_of_it() {
    let demo = Demo::start(demo::service()).await;
    for path in [
        "/items/1",
        "/whoami",
        "/nowhere",
        "/teapot",
        "/broken",
        "/metrics",
        "/healthz",
        "/items/1?page=%00",
    ] {
        let answer = demo.get(path).await;
        let expected = [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cache-control", "no-store"),
            ("access-control-allow-origin", ""),
        ];
        for (name, value) in expected {
            assert_eq!(header(&answer, name), value, "{path}");
        }
    }
    let cached = demo.get("/cached").await;
    assert_eq!(header(&cached, "cache-control"), "max-age=60");
    let page = demo.get("/api-docs/demo/").await;
    assert!(header(&page, "content-security-policy").starts_with("default-src 'self'"));
    assert_eq!(header(&page, "cache-control"), "");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_are_told_nothing() {
    let demo = Demo::start(demo::service()).await;
    for path in ["/items", "/nowhere", "/metrics"] {
        let preflight = demo
            .request(Method::OPTIONS, path)
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        let answer = preflight.send().await.expect("an answer");
        let allowed = answer
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"));
        assert!(!allowed, "{path}");
        let (status, _, body) = problem(answer).await;
        assert_eq!((status, &body["error"]), (403, &"cross_origin".into()), "{path}");
    }
    let simple = demo
        .request(Method::GET, "/items/1")
        .header("origin", "https://evil.example");
    let answer = simple.send().await.expect("an answer");
    assert_eq!(header(&answer, "access-control-allow-origin"), "");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused() {
    let demo = Demo::start(demo::service()).await;
    let long = demo.get(&format!("/items/1?page={}", "1".repeat(9_000))).await;
    let (status, _, body) = problem(long).await;
    assert_eq!((status, &body["error"]), (414, &"uri_too_long".into()));
    let heavy = demo
        .request(Method::GET, "/items/1")
        .header("x-big", "x".repeat(40_000));
    let (status, _, body) = problem(heavy.send().await.expect("an answer")).await;
    assert_eq!((status, &body["error"]), (431, &"headers_too_large".into()));
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_never_reaches_a_handler() {
    let demo = Demo::start(demo::service()).await;
    for (path, error) in [
        ("/items/%00", "invalid_path"),
        ("/items/1?page=%00", "invalid_parameter"),
    ] {
        let (status, _, body) = problem(demo.get(path).await).await;
        assert_eq!((status, &body["error"]), (400, &error.into()), "{path}");
    }
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_body_is_taken_strictly() {
    let demo = Demo::start(demo::service()).await;
    let put = |kind: &str, body: String| {
        let request = demo.request(Method::PUT, "/items").body(body);
        if kind.is_empty() {
            request
        } else {
            request.header("content-type", kind)
        }
    };
    let good = json!({"name": "a", "count": 1}).to_string();
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "application/merge-patch+json",
    ] {
        let answer = put(kind, good.clone()).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{kind}");
    }
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        let (status, _, body) = problem(put(kind, good.clone()).send().await.expect("an answer")).await;
        assert_eq!(
            (status, &body["error"]),
            (415, &"unsupported_media_type".into()),
            "{kind}"
        );
    }
    let cases = [
        (400, "invalid_json", json!(null), "{".to_owned()),
        (400, "invalid_json", json!(null), String::new()),
        (413, "payload_too_large", json!(null), " ".repeat(4096)),
        (
            400,
            "invalid_body",
            json!("count"),
            r#"{"name":"a","count":"1"}"#.to_owned(),
        ),
        (
            400,
            "invalid_body",
            json!("admin"),
            r#"{"name":"a","count":1,"admin":true}"#.to_owned(),
        ),
        (400, "invalid_body", json!("count"), r#"{"name":"a"}"#.to_owned()),
        (
            400,
            "invalid_body",
            json!(null),
            r#"{"name":"\u0000","count":1}"#.to_owned(),
        ),
    ];
    for (status, error, field, text) in cases {
        let (got, _, body) = problem(put("application/json", text.clone()).send().await.expect("an answer")).await;
        assert_eq!(
            (got, &body["error"], &body["field"]),
            (status, &error.into(), &field),
            "{text}: {body}"
        );
    }
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_tells_whose_request_it_is() {
    let demo = Demo::start(demo::service()).await;
    let request = demo.request(Method::GET, "/source");
    let answer = request.header("x-forwarded-for", "1.2.3.4, 198.51.100.7");
    assert_eq!(
        answer.send().await.expect("an answer").text().await.expect("a body"),
        "198.51.100.7"
    );
    demo.stop().await;
}
