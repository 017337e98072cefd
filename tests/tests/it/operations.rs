//! What operators rely on: health, metrics, interface descriptions, and one entrance that leads to every service.

use reqwest::Method;
use serde_json::json;
use test_support::{Process, Reply, Stack};

fn services(stack: &Stack) -> [(&'static str, &Process); 4] {
    [
        ("auth", stack.auth()),
        ("ingest", stack.ingest(0)),
        ("query-api", stack.query_api()),
        ("session-processor", stack.processor(0)),
    ]
}

async fn get(url: String) -> Reply {
    Reply::to(test_support::http_client().get(url)).await
}

#[tokio::test]
async fn every_service_tells_its_health_its_readiness_and_its_metrics() {
    let stack = Stack::start().await;
    stack.agent("vpn-1").connects("jdoe").await;
    stack.api().get("/api/sessions").await;
    for (name, process) in services(&stack) {
        let url = process.url();
        assert_eq!(
            get(format!("{url}/healthz")).await.expect(200).json(),
            json!({"status": "ok"}),
            "{name}"
        );
        let ready = get(format!("{url}/readyz")).await.expect(200).json();
        assert_eq!(ready["status"], "ok", "{name}");
        let checks = ready["checks"].as_object().expect("what it depends on");
        assert!(
            !checks.is_empty() && checks.values().all(|check| check["status"] == "ok"),
            "{name}: {ready}"
        );
        let metrics = get(format!("{url}/metrics")).await.expect(200);
        assert!(
            metrics
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("text/plain")),
            "{name}"
        );
        assert!(metrics.body.contains("# TYPE"), "{name}: {}", metrics.body);
    }
    let metric = |service: &Process, line: &str| {
        let (url, line) = (format!("{}/metrics", service.url()), line.to_owned());
        async move { assert!(get(url).await.body.contains(&line), "{line}") }
    };
    metric(stack.ingest(0), "ingest_events_accepted_total 1").await;
    metric(stack.processor(0), "processor_events_total 1").await;
}

#[tokio::test]
async fn every_service_with_an_interface_describes_it_in_openapi_3_1_with_a_page_to_browse() {
    let stack = Stack::builder().nginx().start().await;
    for (name, process) in &services(&stack)[..3] {
        for base in [process.url(), stack.url().to_owned()] {
            let document = get(format!("{base}/api-docs/{name}/openapi.json"))
                .await
                .expect(200)
                .json();
            assert!(
                document["openapi"]
                    .as_str()
                    .is_some_and(|version| version.starts_with("3.1")),
                "{name}"
            );
            assert_eq!(document["info"]["title"], format!("OpenVPN Telemetry: {name}"));
            assert!(
                document["paths"].as_object().is_some_and(|paths| !paths.is_empty()),
                "{name}"
            );
            let page = get(format!("{base}/api-docs/{name}/")).await.expect(200);
            assert!(page.body.contains("swagger-ui"), "{name}");
            // Browsable offline: nothing comes from another host.
            assert!(
                !page.body.contains("src=\"http") && !page.body.contains("href=\"http"),
                "{}",
                page.body
            );
        }
    }
}

#[tokio::test]
async fn one_entrance_leads_to_every_service_by_path() {
    let stack = Stack::builder().nginx().start().await;
    let anonymous = stack.anonymous();
    let errors = [
        (Method::POST, "/api/v1/events", 401, "invalid_api_key"),
        (Method::POST, "/api/auth/login", 415, "unsupported_media_type"),
        (Method::GET, "/api/sessions", 401, "missing_token"),
        (Method::GET, "/api/profile", 401, "missing_token"),
        (Method::GET, "/api/portal-users", 401, "missing_token"),
        (Method::GET, "/api/servers/1/keys", 401, "missing_token"),
        (Method::GET, "/ws", 503, "service_unavailable"),
    ];
    for (method, path, status, error) in errors {
        let answer = Reply::to(anonymous.request(method, path).await).await.expect(status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
        assert_eq!(answer.json()["error"], error, "{path}: {}", answer.body);
    }
    let page = anonymous.try_get("/").await.expect(200);
    assert!(page.body.contains("<title>OpenVPN Telemetry"), "{}", page.body);
    let outside = anonymous.try_get("/metrics").await;
    assert!(!outside.body.contains("# TYPE"), "metrics are not for the public");
}

#[tokio::test]
async fn a_request_id_goes_with_a_request_and_into_its_dead_letters() {
    let stack = Stack::builder().nginx().start().await;
    let agent = stack.agent("vpn-1");
    let body = json!({"server_id": "vpn-1", "events": [agent.connects("jdoe").with("real_ip", "nowhere").json()]});
    let request = agent
        .request(Method::POST, "/api/v1/events")
        .await
        .header("x-request-id", "story-1");
    let answer = Reply::to(request.json(&body)).await.expect(422);
    assert_eq!(answer.header("x-request-id"), Some("story-1"));
    assert_eq!(answer.json()["request_id"], "story-1");
    stack
        .api()
        .shows(
            "/api/events/rejected",
            &json!({"events": [{"request_id": "story-1", "error": "invalid_real_ip"}]}),
        )
        .await;
}
