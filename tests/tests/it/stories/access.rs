//! Who may see what: logins, tokens and roles.

use serde_json::json;
use test_support::{Api, Stack};

use super::stack;

const PASSWORD: &str = "The first password 1!";

/// A portal user with one role and the first admin's password, logged in.
async fn logged_in_as(stack: &Stack, role: &str) -> Api {
    // The first admin comes into being with the first request.
    stack.api().get("/api/sessions").await;
    let insert = format!(
        "WITH created AS (INSERT INTO portal_user (username, password_hash)
            SELECT 'some_{role}', password_hash FROM portal_user WHERE username = 'admin' RETURNING id)
        INSERT INTO portal_user_role SELECT created.id, portal_role.id FROM created, portal_role WHERE name = '{role}'"
    );
    stack.database().sql(&insert).await;
    stack.anonymous().log_in(&format!("some_{role}"), PASSWORD).await
}

#[tokio::test]
async fn a_login_gives_a_token_that_every_service_accepts() {
    let stack = stack().await;
    let admin = stack.api();
    let me = admin.get("/api/auth/me").await;
    assert_eq!(
        (&me["username"], &me["roles"]),
        (&json!("admin"), &json!([{"id": 1, "name": "admin"}]))
    );
    for path in [
        "/api/sessions",
        "/api/servers",
        "/api/events/rejected",
        "/api/analytics/dashboard",
    ] {
        admin.get(path).await;
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let stack = stack().await;
    stack.api().get("/api/sessions").await;
    let mut answers = Vec::new();
    for (username, password) in [("admin", "wrong"), ("nobody", PASSWORD)] {
        let login = json!({"username": username, "password": password});
        let mut answer = stack
            .anonymous()
            .post("/api/auth/login", &login)
            .await
            .expect(401)
            .json();
        answer.as_object_mut().expect("a problem").remove("request_id");
        answers.push(answer);
    }
    assert_eq!(answers[0]["error"], "invalid_credentials");
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_shown() {
    let stack = stack().await;
    let token = token_of(&stack).await;
    let (rest, signature) = token.rsplit_once('.').expect("a signature");
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    for path in [
        "/api/sessions",
        "/api/sessions/export",
        "/api/servers",
        "/api/identity?ip=10.8.0.2",
        "/api/auth/me",
    ] {
        stack.anonymous().try_get(path).await.expect(401);
        stack.anonymous().with_token(&forged).try_get(path).await.expect(401);
        stack.anonymous().with_token("nonsense").try_get(path).await.expect(401);
    }
    let key = stack.agent("vpn-1").key().await.to_owned();
    stack
        .anonymous()
        .with_token(&key)
        .try_get("/api/sessions")
        .await
        .expect(401);
}

async fn token_of(stack: &Stack) -> String {
    stack.api().get("/api/sessions").await;
    let login = json!({"username": "admin", "password": PASSWORD});
    let answer = stack
        .anonymous()
        .post("/api/auth/login", &login)
        .await
        .expect(200)
        .json();
    answer["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn all_but_admins_see_everything_except_what_was_rejected() {
    let stack = stack().await;
    for role in ["viewer", "operator", "auditor"] {
        let api = logged_in_as(&stack, role).await;
        for path in [
            "/api/sessions",
            "/api/vpn-users",
            "/api/servers",
            "/api/events/unmatched",
            "/api/analytics/dashboard",
        ] {
            api.get(path).await;
        }
        let refused = api.try_get("/api/events/rejected").await.expect(403);
        assert_eq!(
            refused.header("content-type"),
            Some("application/problem+json"),
            "{role}"
        );
        assert_eq!(
            api.get("/api/analytics/dashboard").await["total_portal_users"],
            json!(null),
            "{role}"
        );
    }
}

#[tokio::test]
async fn a_route_that_is_not_listed_is_not_there_even_for_an_admin() {
    let stack = stack().await;
    for path in [
        "/api/nothing",
        "/api/sessions/1/2/3",
        "/api/auth/secret",
        "/api/portal-users/99/x",
        "/api/v1/secret",
    ] {
        let answer = stack.api().try_get(path).await.expect(404);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
        assert!(answer.json()["request_id"].is_string(), "{path}");
    }
    // Sessions cannot be posted: there is no such route.
    let status = stack.api().post("/api/sessions", &json!({})).await.status.as_u16();
    assert!([404, 405].contains(&status), "{status}");
}
