//! What the guard lets through.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use access_token::{Access, Caller, Guard, Route, Signer};
use actix_web::{HttpResponse, web};
use domain::role::{ADMIN_ONLY, ANY_ROLE, Role};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use service_kit::{KitConfig, Running, Service};

use crate::support::{Published, claims, signer};

const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/open",
        access: Access::Public,
    },
    Route {
        method: "POST",
        path: "/api/v1/events",
        access: Access::Agent,
    },
    Route {
        method: "GET",
        path: "/api/me",
        access: Access::Roles(ANY_ROLE),
    },
    Route {
        method: "DELETE",
        path: "/api/servers/{id}",
        access: Access::Roles(ADMIN_ONLY),
    },
    Route {
        method: "GET",
        path: "/api/servers/{id}",
        access: Access::Public,
    },
    Route {
        method: "GET",
        path: "/api/servers/secret",
        access: Access::Roles(ADMIN_ONLY),
    },
];

/// A guarded service, a key its tokens are signed with, and how often a handler ran.
struct Guarded {
    running: Running,
    client: reqwest::Client,
    signer: Signer,
    published: Published,
    handled: Arc<AtomicUsize>,
}

impl Guarded {
    async fn start() -> Self {
        let signer = signer();
        let published = Published::of(&signer);
        let guard = Guard::new(ROUTES, published.verifier());
        let handled = Arc::new(AtomicUsize::new(0));
        let counter = web::Data::from(Arc::clone(&handled));
        let document = utoipa::openapi::OpenApiBuilder::new().build();
        let service = Service::new().http(document, move |app| {
            let routes = web::scope("")
                .wrap(guard.clone())
                .route("/api/open", web::to(handle))
                .route("/api/v1/events", web::to(handle))
                .route("/api/me", web::get().to(me))
                .route("/api/servers/secret", web::to(handle))
                .route("/api/servers/{id}", web::to(handle))
                .route("/api/forgotten", web::to(handle))
                .route("/api/caller", web::to(me));
            app.app_data(counter.clone()).service(routes);
        });
        let config = KitConfig {
            http_addr: Some(([127, 0, 0, 1], 0).into()),
            ..KitConfig::default()
        };
        let running = service_kit::start("guarded", service, &config)
            .await
            .expect("a free port");
        Self {
            running,
            client: reqwest::Client::new(),
            signer,
            published,
            handled,
        }
    }

    fn token(&self, roles: &[Role]) -> String {
        self.signer.sign(&claims(roles)).expect("a token")
    }

    async fn send(&self, method: Method, path: &str, authorization: &str) -> Response {
        let mut request = self
            .client
            .request(method, format!("http://{}{path}", self.running.address()));
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        request.send().await.expect("an answer")
    }

    async fn status(&self, method: Method, path: &str, authorization: &str) -> u16 {
        self.send(method, path, authorization).await.status().as_u16()
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers()[name].to_str().expect("a plain header")
}

async fn handle(handled: web::Data<AtomicUsize>) -> HttpResponse {
    handled.fetch_add(1, Ordering::SeqCst);
    HttpResponse::Ok().finish()
}

async fn me(caller: Caller) -> web::Json<Value> {
    web::Json(json!({"id": caller.portal_user_id, "username": caller.username}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_is_not_listed_is_refused_before_its_handler() {
    let service = Guarded::start().await;
    let admin = format!("Bearer {}", service.token(&[Role::Admin]));
    assert_eq!(service.status(Method::GET, "/api/forgotten", &admin).await, 404);
    assert_eq!(service.status(Method::GET, "/api/nowhere", &admin).await, 404);
    let wrong_method = service.send(Method::PUT, "/api/servers/7", &admin).await;
    assert_eq!(
        (wrong_method.status().as_u16(), header(&wrong_method, "allow")),
        (405, "DELETE, GET")
    );
    assert_eq!(service.handled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_the_right_role_is_let_through() {
    let service = Guarded::start().await;
    for role in Role::ALL {
        let token = format!("bearer {}", service.token(&[role]));
        let answer = service.send(Method::GET, "/api/me", &token).await;
        assert_eq!(
            answer.json::<Value>().await.expect("JSON"),
            json!({"id": 7, "username": "jdoe"})
        );
        let expected = if role == Role::Admin { 200 } else { 403 };
        assert_eq!(
            service.status(Method::DELETE, "/api/servers/7", &token).await,
            expected,
            "{role}"
        );
    }
    assert_eq!(service.handled(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_why() {
    let service = Guarded::start().await;
    let answer = service
        .send(
            Method::DELETE,
            "/api/servers/7",
            &format!("Bearer {}", service.token(&[])),
        )
        .await;
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body["status"], &body["error"], &body["required_roles"]),
        (&json!(403), &json!("forbidden"), &json!(["admin"]))
    );
    assert_eq!(service.handled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_brings_no_good_token_is_challenged() {
    let service = Guarded::start().await;
    let foreign = format!("Bearer {}", signer().sign(&claims(&[Role::Admin])).expect("a token"));
    let mut old = claims(&[Role::Admin]);
    old.exp -= 7200;
    let expired = format!("Bearer {}", service.signer.sign(&old).expect("a token"));
    let invalid = "Bearer error=\"invalid_token\"";
    let cases = [
        ("", "missing_token", "Bearer"),
        ("Basic YTpi", "missing_token", "Bearer"),
        ("Bearer", "missing_token", "Bearer"),
        ("Bearer nonsense", "invalid_token", invalid),
        (&foreign, "invalid_token", invalid),
        (&expired, "expired_token", invalid),
    ];
    for (authorization, error, challenge) in cases {
        let answer = service.send(Method::DELETE, "/api/servers/7", authorization).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "www-authenticate")),
            (401, challenge)
        );
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["error"], error, "{authorization}");
        assert!(!body["request_id"].as_str().expect("an id").is_empty());
    }
    assert_eq!(service.handled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_authorization_headers_are_refused() {
    let service = Guarded::start().await;
    let token = format!("Bearer {}", service.token(&[Role::Admin]));
    let url = format!("http://{}/api/servers/7", service.running.address());
    let request = service
        .client
        .delete(url)
        .header("authorization", &token)
        .header("authorization", "Bearer x");
    assert_eq!(request.send().await.expect("an answer").status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_routes_and_those_of_agents_need_no_token() {
    let service = Guarded::start().await;
    assert_eq!(service.status(Method::GET, "/api/open", "").await, 200);
    assert_eq!(
        service
            .status(Method::POST, "/api/v1/events", "Bearer ovt_1_secret")
            .await,
        200
    );
    assert_eq!(service.handled(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_patterns_overlap_the_strictest_counts() {
    let service = Guarded::start().await;
    assert_eq!(service.status(Method::GET, "/api/servers/7", "").await, 200);
    assert_eq!(service.status(Method::GET, "/api/servers/secret", "").await, 401);
    assert_eq!(service.status(Method::GET, "/api/servers/%73ecret", "").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_guarded_routes_are_unavailable() {
    let service = Guarded::start().await;
    *service.published.broken.lock().expect("not poisoned") = true;
    let token = format!("Bearer {}", service.token(&[Role::Admin]));
    let answer = service.send(Method::GET, "/api/me", &token).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (503, "1"));
    assert_eq!(service.status(Method::GET, "/api/open", "").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kits_own_endpoints_need_no_token() {
    let service = Guarded::start().await;
    for path in ["/healthz", "/readyz", "/metrics", "/api-docs/guarded/openapi.json"] {
        assert_eq!(service.status(Method::GET, path, "").await, 200, "{path}");
    }
}
