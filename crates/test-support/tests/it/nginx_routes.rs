use serde_json::Value;
use test_support::{Nginx, Reply, http_client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A service that answers every request with its own name and the request's head. `?set=NAME` gives a header of its own.
async fn service(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens").to_string();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = vec![0; 16_384];
            let read = connection.read(&mut head).await.unwrap_or(0);
            let body = format!("{name}\n{}", String::from_utf8_lossy(&head[..read]).to_lowercase());
            let set = body.split_once("?set=").and_then(|(_, rest)| rest.split_once(' '));
            let header = set.map_or_else(String::new, |(name, _)| format!("{name}: of-the-service\r\n"));
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{header}connection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    address
}

async fn nginx() -> Nginx {
    Nginx::start(
        &service("ingest").await,
        &service("auth").await,
        &service("query-api").await,
        &service("realtime-gateway").await,
    )
    .await
}

async fn get(nginx: &Nginx, path: &str) -> Reply {
    Reply::to(http_client().get(format!("{}{path}", nginx.url))).await
}

#[tokio::test]
async fn every_path_leads_to_its_service() {
    let nginx = nginx().await;
    let routes = [
        ("/api/v1/events", "ingest"),
        ("/api/auth/login", "auth"),
        ("/api/auth/.well-known/jwks.json", "auth"),
        ("/api/profile", "auth"),
        ("/api/profile/password", "auth"),
        ("/api/portal-users", "auth"),
        ("/api/portal-users/7", "auth"),
        ("/api/portal-roles", "auth"),
        ("/api/portal-roles/2", "auth"),
        ("/api/servers/3/keys", "auth"),
        ("/api/servers/vpn-1/keys/abc", "auth"),
        ("/api/servers", "query-api"),
        ("/api/servers/3", "query-api"),
        ("/api/sessions?page=2", "query-api"),
        ("/api/sessions/export?format=csv", "query-api"),
        ("/api/profiles", "query-api"),
        ("/api-docs/ingest/", "ingest"),
        ("/api-docs/auth/openapi.json", "auth"),
        ("/api-docs/query-api/", "query-api"),
        ("/api-docs/realtime-gateway/", "realtime-gateway"),
        ("/api/audit-logs", "query-api"),
        ("/ws", "realtime-gateway"),
    ];
    for (path, expected) in routes {
        let answer = get(&nginx, path).await.expect(200);
        assert_eq!(answer.body.lines().next(), Some(expected), "{path}");
    }
}

#[tokio::test]
async fn the_start_page_links_the_interface_descriptions_under_strict_headers() {
    let nginx = nginx().await;
    let page = get(&nginx, "/").await.expect(200);
    assert!(page.body.contains("<title>OpenVPN Telemetry"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-cache"),
        ("server", "nginx"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'self'") && !policy.contains("script-src"),
        "{policy}"
    );
    // Said over TLS only.
    assert_eq!(page.header("strict-transport-security"), None);
}

#[tokio::test]
async fn a_header_that_a_service_sets_is_the_only_one_of_its_name() {
    let nginx = nginx().await;
    let names = [
        "content-security-policy",
        "x-frame-options",
        "referrer-policy",
        "cache-control",
    ];
    for name in names {
        let answer = get(&nginx, &format!("/api/sessions?set={name}")).await.expect(200);
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, ["of-the-service"], "{name}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn a_websocket_is_upgraded_with_its_origin_and_host() {
    let nginx = nginx().await;
    let request = http_client().get(format!("{}/ws", nginx.url));
    let request = request.header("connection", "Upgrade").header("upgrade", "websocket");
    let seen = Reply::to(request.header("origin", &nginx.url)).await.body;
    for line in ["connection: upgrade\r\n", "upgrade: websocket\r\n"] {
        assert!(seen.contains(line), "{line} is not in {seen}");
    }
    let host = nginx.url.strip_prefix("http://").expect("a URL");
    assert!(seen.contains(&format!("origin: http://{host}\r\n")) && seen.contains(&format!("host: {host}\r\n")));
}

#[tokio::test]
async fn a_caller_can_name_its_request_but_not_its_address() {
    let nginx = nginx().await;
    let request = http_client().get(format!("{}/api/sessions", nginx.url));
    let answer = Reply::to(
        request
            .header("x-request-id", "abc-1")
            .header("x-forwarded-for", "198.51.100.9"),
    )
    .await;
    assert!(answer.body.contains("x-request-id: abc-1"));
    assert!(answer.body.contains("x-forwarded-for: 127.0.0.1\r\n"));
    let request = http_client().get(format!("{}/api/sessions", nginx.url));
    let answer = Reply::to(request.header("x-request-id", "{\"a\":1}")).await;
    assert!(!answer.body.contains("{\"a\":1}"));
}

#[tokio::test]
async fn what_nginx_answers_by_itself_is_a_problem_too() {
    let nobody = "127.0.0.1:1";
    let nginx = Nginx::start(nobody, nobody, nobody, nobody).await;
    let down = get(&nginx, "/api/sessions").await.expect(503);
    assert_eq!(problem(&down)["error"], "service_unavailable");
    assert!(down.header("retry-after").is_some());
    let live = get(&nginx, "/ws").await.expect(503);
    assert_eq!(problem(&live)["error"], "service_unavailable");
    let request = http_client()
        .post(format!("{}/api/v1/events", nginx.url))
        .body(vec![b' '; 7 * 1024 * 1024]);
    let too_large = Reply::to(request).await.expect(413);
    assert_eq!(problem(&too_large)["error"], "body_too_large");
}

fn problem(reply: &Reply) -> Value {
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let problem = reply.json();
    assert_eq!(problem["status"], reply.status.as_u16());
    assert!(problem["request_id"].as_str().is_some_and(|id| !id.is_empty()));
    problem
}
