use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use test_support::{PORTAL_PASSWORD, Reply, Stack, eventually};

use super::routes::{Access, Route, expected, served};
use super::tokens::Forger;

const ROLES: [&str; 4] = ["admin", "operator", "viewer", "auditor"];

async fn stack() -> Stack {
    // What is tried here is far more than a person does in a minute.
    Stack::builder()
        .with("*", "API_REQUESTS_PER_MINUTE", "1000000")
        .with("auth", "LOGIN_REQUESTS_PER_MINUTE", "1000000")
        .realtime(1)
        .start()
        .await
}

/// Calls a route with this token, or without any. The body is no JSON: who is refused must be refused before it is read, and
/// who is not must not change anything.
async fn call(route: &Route, token: Option<&str>) -> Reply {
    let method: Method = route.method.parse().expect("a method");
    let request = test_support::http_client().request(method, &route.url);
    let request = request.header("content-type", "application/json");
    let request = if route.method == "GET" {
        request
    } else {
        request.body("{")
    };
    Reply::to(match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    })
    .await
}

/// 401: we do not know the caller.
fn is_unknown(reply: &Reply) -> bool {
    reply.status == 401
        && reply
            .header("www-authenticate")
            .is_some_and(|challenge| challenge.starts_with("Bearer"))
}

/// 403 for the caller's roles.
fn is_forbidden(reply: &Reply) -> bool {
    reply.status == 403 && reply.json()["error"] == "forbidden"
}

/// The expected access of each served route; routes that nobody has thought of fail the test.
async fn routes(stack: &Stack) -> Vec<(Route, Access)> {
    let expected = expected();
    let routes = served(stack).await;
    let known: BTreeSet<String> = routes.iter().map(Route::name).collect();
    let unlisted: Vec<_> = known.iter().filter(|name| !expected.contains_key(*name)).collect();
    assert!(unlisted.is_empty(), "say in expected.txt who may call {unlisted:#?}");
    let gone: Vec<_> = expected.keys().filter(|name| !known.contains(*name)).collect();
    assert!(gone.is_empty(), "in expected.txt, but not served: {gone:#?}");
    let mut routes: Vec<_> = routes
        .into_iter()
        .map(|route| {
            let access = expected[&route.name()].clone();
            (route, access)
        })
        .collect();
    routes.sort_by_key(|(route, _)| route.ends_sessions());
    routes
}

#[tokio::test]
async fn every_role_may_call_exactly_the_routes_that_are_meant_for_it() {
    let stack = stack().await;
    let routes = routes(&stack).await;
    let mut wrong = Vec::new();
    for role in ROLES {
        let username = format!("some_{role}");
        let mut token = stack.portal_user(&username, &[role]).await.token().await;
        for (route, access) in &routes {
            if route.ends_sessions() {
                token = stack.log_in_again(&username).await.token().await;
            }
            let reply = call(route, Some(&token)).await;
            let as_expected = match access {
                Access::Public => !is_unknown(&reply) && !is_forbidden(&reply),
                Access::Agent => reply.status == 401,
                Access::PortalUser => !is_unknown(&reply) && !is_forbidden(&reply),
                Access::Roles(roles) if roles.contains(role) => !is_unknown(&reply) && !is_forbidden(&reply),
                Access::Roles(_) => is_forbidden(&reply),
            };
            if !as_expected || reply.status.is_server_error() {
                wrong.push(format!("{} as {role}: {} {}", route.name(), reply.status, reply.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn without_roles_a_portal_user_may_do_what_everybody_may() {
    let stack = stack().await;
    let nobody = stack.portal_user("nobody", &[]).await.token().await;
    for (route, access) in routes(&stack).await {
        let Access::Roles(_) = access else { continue };
        let reply = call(&route, Some(&nobody)).await;
        assert!(
            is_forbidden(&reply),
            "{}: {} {}",
            route.name(),
            reply.status,
            reply.body
        );
    }
}

#[tokio::test]
async fn whoever_has_no_good_token_gets_nowhere() {
    let stack = stack().await;
    let routes = routes(&stack).await;
    let admin = stack.portal_user("some_admin", &["admin"]).await.token().await;
    let mut tokens = Forger::of(&stack, &admin).wrong();
    tokens.push(("logged out", logged_out(&stack).await));
    tokens.push(("logged out everywhere", logged_out_everywhere(&stack).await));
    tokens.push(("deactivated", deactivated(&stack).await));
    let tokens = tokens.iter().map(|(name, token)| (*name, Some(token.as_str())));
    let mut wrong = Vec::new();
    for (name, token) in [("anonymous", None)].into_iter().chain(tokens) {
        for (route, access) in &routes {
            let reply = call(route, token).await;
            let as_expected = match access {
                Access::Public => !is_unknown(&reply),
                Access::Agent => reply.status == 401,
                Access::PortalUser | Access::Roles(_) => is_unknown(&reply),
            };
            if !as_expected || reply.status.is_server_error() {
                wrong.push(format!("{}, {name}: {} {}", route.name(), reply.status, reply.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_forged_token_fails_only_for_what_is_wrong_with_it() {
    let stack = stack().await;
    let admin = stack.portal_user("some_admin", &["admin"]).await.token().await;
    let same = Forger::of(&stack, &admin).with(&json!({}));
    let reply = stack.api().with_token(&same).try_get("/api/audit-logs").await;
    reply.expect(200);
}

#[tokio::test]
async fn a_method_that_is_not_listed_reaches_no_handler() {
    let stack = stack().await;
    let routes = routes(&stack).await;
    let admin = stack.portal_user("some_admin", &["admin"]).await.token().await;
    let listed: BTreeSet<(&str, &str)> = routes
        .iter()
        .map(|(route, _)| (route.method.as_str(), route.url.as_str()))
        .collect();
    for (route, _) in &routes {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            if listed.contains(&(method, route.url.as_str())) {
                continue;
            }
            let other = Route {
                method: method.to_owned(),
                ..route.clone()
            };
            let reply = call(&other, Some(&admin)).await;
            let status = reply.status.as_u16();
            assert!(
                [404, 405].contains(&status),
                "{}: {status} {}",
                other.name(),
                reply.body
            );
        }
    }
}

/// The token of an admin who has logged out.
async fn logged_out(stack: &Stack) -> String {
    stack.portal_user("was_here", &["admin"]).await;
    let login = json!({"username": "was_here", "password": PORTAL_PASSWORD});
    let tokens = stack
        .anonymous()
        .post("/api/auth/login", &login)
        .await
        .expect(200)
        .json();
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    stack.anonymous().post("/api/auth/logout", &refresh).await.expect(204);
    let token = tokens["access_token"].as_str().expect("an access token").to_owned();
    refused_everywhere(stack, &token).await;
    token
}

/// The token of an admin who has logged out everywhere.
async fn logged_out_everywhere(stack: &Stack) -> String {
    let user = stack.portal_user("was_everywhere", &["admin"]).await;
    let token = user.token().await;
    let reply = user.post("/api/auth/logout-all", &json!({})).await;
    assert!(reply.status.is_success(), "{} {}", reply.status, reply.body);
    refused_everywhere(stack, &token).await;
    token
}

/// The token of an admin who has been deactivated meanwhile.
async fn deactivated(stack: &Stack) -> String {
    let user = stack.portal_user("was_active", &["admin"]).await;
    let token = user.token().await;
    let id = user.get("/api/auth/me").await["id"].as_i64().expect("an id");
    let path = format!("/api/portal-users/{id}");
    let mut person = stack.api().get(&path).await;
    person["is_active"] = json!(false);
    let change = json!({"is_active": false, "version": person["version"]});
    let request = stack.api().request(Method::PUT, &path).await.json(&change);
    Reply::to(request).await.expect(200);
    refused_everywhere(stack, &token).await;
    token
}

/// A change of access is told to every service within a second.
async fn refused_everywhere(stack: &Stack, token: &str) {
    let user = stack.api().with_token(token);
    for path in ["/api/auth/me", "/api/sessions"] {
        eventually(path, async || (user.try_get(path).await.status == 401).then_some(())).await;
    }
}
