use std::time::{Duration, Instant};

use serde_json::json;
use test_support::{Closed, PORTAL_PASSWORD, Socket, SocketRequest, Stack, run_binary};

fn revoked() -> Closed {
    Closed {
        code: 4401,
        reason: "revoked_token".to_owned(),
    }
}

async fn enters(stack: &Stack, token: &str) -> Socket {
    let mut socket = SocketRequest::to(&stack.realtime(0).url()).enter(token).await;
    socket.until("sessions_update").await;
    socket
}

#[tokio::test]
async fn logging_out_ends_the_socket_within_a_second() {
    let stack = Stack::builder().realtime(1).start().await;
    for username in ["viewer", "other"] {
        stack.portal_user(username, &["viewer"]).await;
    }
    let login = json!({"username": "viewer", "password": PORTAL_PASSWORD});
    let login = stack
        .anonymous()
        .post("/api/auth/login", &login)
        .await
        .expect(200)
        .json();
    let mut socket = enters(&stack, login["access_token"].as_str().expect("a token")).await;
    let other = stack.log_in_again("other").await;
    let mut stays = enters(&stack, &other.token().await).await;
    let started = Instant::now();
    let logout = json!({"refresh_token": login["refresh_token"]});
    stack.anonymous().post("/api/auth/logout", &logout).await.expect(204);
    assert_eq!(socket.closed().await, revoked());
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    stack.agent("vpn-1").connects("jdoe").await;
    stays.until("session_connected").await;
}

#[tokio::test]
async fn a_change_of_roles_ends_the_socket_within_a_second() {
    let stack = Stack::builder().realtime(1).start().await;
    let operator = stack.portal_user("operator", &["operator"]).await;
    let mut socket = enters(&stack, &operator.token().await).await;
    let id = operator.get("/api/auth/me").await["id"].clone();
    let path = format!("/api/portal-users/{id}");
    let user = stack.api().get(&path).await;
    let change = json!({"role_ids": [3], "version": user["version"]});
    let started = Instant::now();
    let request = stack.api().request(reqwest::Method::PUT, &path).await.json(&change);
    let answer = request.send().await.expect("auth answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    assert_eq!(socket.closed().await, revoked());
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let viewer = stack.log_in_again("operator").await;
    enters(&stack, &viewer.token().await).await;
}

#[tokio::test]
async fn pages_of_other_origins_do_not_get_through_nginx() {
    let stack = Stack::builder().nginx().realtime(1).start().await;
    let request = |origin: &str| SocketRequest::to(stack.url()).header("origin", origin);
    assert_eq!(request("https://evil.example.com").open().await.err(), Some(403));
    let mut socket = request(stack.url()).enter(&stack.api().token().await).await;
    socket.until("sessions_update").await;
    // A server that is registered appears.
    run_binary("auth", &["create-server", "vpn-new"], stack.environment()).await;
    loop {
        let update = socket.until("server_update").await;
        if update["servers"]
            .as_array()
            .is_some_and(|servers| servers.iter().any(|server| server["name"] == "vpn-new"))
        {
            break;
        }
    }
}
