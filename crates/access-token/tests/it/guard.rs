//! What the guard lets through.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use access_token::{Access, AccessConfig, Caller, Denial, Guard, Route, Signer};
use actix_web::{HttpResponse, web};
use domain::role::{ADMIN_ONLY, ANY_ROLE, Role};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use service_kit::{Json, KitConfig, Running, Service};

use domain::required_action::RequiredAction;
use domain::revocation::Revocation;
use test_support::{PrivateServers, shared_servers};

use crate::support::{Published, TestDenylist, claims, signer};

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
    Route {
        method: "PUT",
        path: "/api/me",
        access: Access::PortalUser,
    },
];

/// A guarded service, a key its tokens are signed with, and how often a handler ran.
struct Guarded {
    running: Running,
    client: reqwest::Client,
    signer: Signer,
    published: Published,
    handled: Arc<AtomicUsize>,
    list: TestDenylist,
    denials: Arc<Mutex<Vec<Denial>>>,
}

impl Guarded {
    async fn start() -> Self {
        Self::with(&shared_servers().redis_url, 10_000).await
    }

    async fn with(redis_url: &str, requests_per_minute: u32) -> Self {
        let signer = signer();
        let published = Published::of(&signer);
        let list = TestDenylist::at(redis_url).await;
        let denials = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&denials);
        let config = AccessConfig {
            api_requests_per_minute: requests_per_minute.try_into().expect("not zero"),
            ..list.config.clone()
        };
        let guard = Guard::new(ROUTES, published.verifier(), list.denylist.clone(), &config)
            .on_denied(move |denial| told.lock().expect("not poisoned").push(denial));
        let handled = Arc::new(AtomicUsize::new(0));
        let counter = web::Data::from(Arc::clone(&handled));
        let document = utoipa::openapi::OpenApiBuilder::new().build();
        let service = Service::new().http(document, move |app| {
            let routes = web::scope("")
                .wrap(guard.clone())
                .route("/api/open", web::to(handle))
                .route("/api/v1/events", web::to(handle))
                .route("/api/me", web::get().to(me))
                .route("/api/me", web::put().to(me))
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
            client: test_support::http_client(),
            signer,
            published,
            handled,
            list,
            denials,
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

async fn me(caller: Caller) -> Json<Value> {
    Json(json!({"id": caller.portal_user_id, "username": caller.username}))
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

impl Guarded {
    fn bearer(&self, roles: &[Role]) -> String {
        format!("Bearer {}", self.token(roles))
    }

    /// Status and `error` of an answer.
    async fn refusal(&self, method: Method, path: &str, authorization: &str) -> (u16, String) {
        let answer = self.send(method, path, authorization).await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.expect("JSON");
        (status, body["error"].as_str().unwrap_or_default().to_owned())
    }
}

fn refused(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_opens_nothing() {
    let service = Guarded::start().await;
    let admin = service.bearer(&[Role::Admin]);
    assert_eq!(service.status(Method::GET, "/api/me", &admin).await, 200);

    let session = Revocation::PortalSession(claims(ANY_ROLE).sid);
    service.list.denylist.deny(session).await.expect("Redis answers");

    for (method, path) in [(Method::GET, "/api/me"), (Method::DELETE, "/api/servers/7")] {
        assert_eq!(
            service.refusal(method, path, &admin).await,
            refused(401, "revoked_token")
        );
    }
    assert_eq!(service.handled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_below_a_users_version_are_revoked_and_later_ones_are_not() {
    let service = Guarded::start().await;
    let (id, token_version) = (7, 2);
    let revocation = Revocation::PortalUser { id, token_version };
    service.list.denylist.deny(revocation).await.expect("Redis answers");
    let version = |token_version| {
        let claims = access_token::Claims {
            token_version,
            ..claims(&[Role::Admin])
        };
        format!("Bearer {}", service.signer.sign(&claims).expect("a token"))
    };
    let old = service.refusal(Method::DELETE, "/api/servers/7", &version(1)).await;
    assert_eq!(old, refused(401, "revoked_token"));
    assert_eq!(service.status(Method::DELETE, "/api/servers/7", &version(2)).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_revoked_is_refused_at_once_where_something_is_changed() {
    let service = Guarded::start().await;
    service.list.denylist.refresh().await.expect("Redis answers");
    let admin = service.bearer(&[Role::Admin]);
    let session = Revocation::PortalSession(claims(ANY_ROLE).sid);
    service.list.elsewhere().deny(session).await.expect("Redis answers");

    assert_eq!(
        service.status(Method::GET, "/api/me", &admin).await,
        200,
        "the copy is older"
    );
    for (method, path) in [(Method::DELETE, "/api/servers/7"), (Method::GET, "/api/servers/secret")] {
        assert_eq!(
            service.refusal(method, path, &admin).await,
            refused(401, "revoked_token")
        );
    }
    service.list.denylist.refresh().await.expect("Redis answers");
    assert_eq!(
        service.refusal(Method::GET, "/api/me", &admin).await,
        refused(401, "revoked_token")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_reads_go_on_and_changes_and_admin_routes_are_refused() {
    let servers = PrivateServers::start().await;
    let service = Guarded::with(&servers.redis_url(), 10_000).await;
    let admin = service.bearer(&[Role::Admin]);
    service.list.denylist.refresh().await.expect("Redis answers");

    servers.redis.kill().await;

    assert_eq!(service.status(Method::GET, "/api/me", &admin).await, 200);
    let unavailable = refused(503, "denylist_unavailable");
    for (method, path) in [
        (Method::PUT, "/api/me"),
        (Method::DELETE, "/api/servers/7"),
        (Method::GET, "/api/servers/secret"),
    ] {
        assert_eq!(service.refusal(method, path, &admin).await, unavailable);
    }
    assert_eq!(service.handled(), 0);

    servers.redis.start().await;
    test_support::eventually("changes to be possible again", async || {
        (service.status(Method::DELETE, "/api/servers/7", &admin).await == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_redis_is_no_permission() {
    let servers = PrivateServers::start().await;
    let service = Guarded::with(&servers.redis_url(), 10_000).await;
    let admin = service.bearer(&[Role::Admin]);
    test_support::redis_command(&servers.redis_url(), &["FLUSHALL"]).await;

    let unavailable = refused(503, "denylist_unavailable");
    assert_eq!(
        service.refusal(Method::DELETE, "/api/servers/7", &admin).await,
        unavailable
    );
    // Never read since the start of the process: its copy may lack anything.
    assert_eq!(service.refusal(Method::GET, "/api/me", &admin).await, unavailable);

    service.list.denylist.fill(&[]).await.expect("Redis answers");
    assert_eq!(service.status(Method::DELETE, "/api/servers/7", &admin).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_do_something_first_reaches_the_own_account_only() {
    let service = Guarded::start().await;
    let claims = access_token::Claims {
        required_action: Some(RequiredAction::ChangePassword),
        ..claims(ANY_ROLE)
    };
    let token = format!("Bearer {}", service.signer.sign(&claims).expect("a token"));
    assert_eq!(service.status(Method::PUT, "/api/me", &token).await, 200);
    let answer = service.send(Method::GET, "/api/me", &token).await;
    assert_eq!(answer.status(), 403);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body["error"], &body["required_action"]),
        (&json!("action_required"), &json!("change_password"))
    );
    assert_eq!(
        service.refusal(Method::DELETE, "/api/servers/7", &token).await,
        refused(403, "action_required")
    );
    assert!(service.denials.lock().expect("not poisoned").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_for_want_of_a_role_are_told_once_a_minute() {
    let service = Guarded::start().await;
    let viewer = service.bearer(&[Role::Viewer]);
    for id in 1..=5 {
        let path = format!("/api/servers/{id}");
        assert_eq!(service.status(Method::DELETE, &path, &viewer).await, 403);
    }
    assert_eq!(service.status(Method::GET, "/api/servers/secret", &viewer).await, 403);
    let denials = service.denials.lock().expect("not poisoned");
    let told: Vec<_> = denials
        .iter()
        .map(|denial| (denial.method.as_str(), denial.route.as_str(), denial.count))
        .collect();
    assert_eq!(
        told,
        [("DELETE", "/api/servers/{id}", 1), ("GET", "/api/servers/secret", 1)]
    );
    assert_eq!(denials[0].caller.username, "jdoe");
    assert_eq!(denials[0].ip_address.to_string(), "127.0.0.1");
    assert!(denials[0].request_id.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_may_not_ask_too_much() {
    let service = Guarded::with(&shared_servers().redis_url, 3).await;
    let viewer = service.bearer(&[Role::Viewer]);
    for _ in 0..3 {
        assert_eq!(service.status(Method::GET, "/api/me", &viewer).await, 200);
    }
    let answer = service.send(Method::GET, "/api/me", &viewer).await;
    assert_eq!(answer.status(), 429);
    let wait: u64 = header(&answer, "retry-after").parse().expect("seconds");
    assert!((1..=21).contains(&wait), "{wait}");
    let other = access_token::Claims {
        sub: "8".to_owned(),
        ..claims(&[Role::Viewer])
    };
    let other = format!("Bearer {}", service.signer.sign(&other).expect("a token"));
    assert_eq!(service.status(Method::GET, "/api/me", &other).await, 200);
}
