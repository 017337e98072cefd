//! Who gets in, and who does not.

use domain::role::Role;
use serde_json::json;
use test_support::{Closed, Socket, SocketRequest};

use crate::rig::{Rig, session};

async fn refused(socket: &mut Socket, token: &str) -> Closed {
    socket.send(&json!({"event": "authenticate", "token": token})).await;
    socket.closed().await
}

#[tokio::test]
async fn a_token_lets_in_by_the_first_message_or_by_the_sub_protocol() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let request = SocketRequest::to(&gateway.url());
    let mut socket = request.open().await.unwrap();
    let token = rig.token();
    socket.send(&json!({"event": "authenticate", "token": token})).await;
    let welcome = socket.next().await.unwrap();
    assert_eq!(
        (&welcome["event"], &welcome["roles"]),
        (&json!("authenticated"), &json!(["viewer"]))
    );

    let with_protocol = request.header("sec-websocket-protocol", &format!("bearer, {token}"));
    let mut socket = with_protocol.open().await.unwrap();
    assert_eq!(socket.protocol.as_deref(), Some("bearer"));
    assert_eq!(socket.next().await.unwrap()["event"], "authenticated");
    socket.until("sessions_update").await;
}

#[tokio::test]
async fn nothing_is_told_before_there_is_a_token() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[("REALTIME_AUTH_SECONDS", "1")]).await;
    let mut silent = SocketRequest::to(&gateway.url()).open().await.unwrap();
    rig.tells(&[session(1)]).await;
    let closed = silent.next().await.unwrap_err();
    assert_eq!((closed.code, closed.reason.as_str()), (4401, "missing_token"));
    let mut hasty = SocketRequest::to(&gateway.url()).open().await.unwrap();
    hasty.send(&json!({"event": "get_active_sessions"})).await;
    assert_eq!(hasty.next().await.unwrap_err().code, 4401);
}

#[tokio::test]
async fn a_token_that_is_no_good_does_not_let_in() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let cases = [
        ("nonsense".to_owned(), 4401, "invalid_token"),
        (rig.token_with(&[Role::Viewer], -60), 4401, "expired_token"),
        (rig.token_with(&[], 60), 4403, "forbidden"),
    ];
    for (token, code, reason) in cases {
        let mut socket = SocketRequest::to(&gateway.url()).open().await.unwrap();
        let closed = refused(&mut socket, &token).await;
        assert_eq!((closed.code, closed.reason.as_str()), (code, reason));
    }
}

#[tokio::test]
async fn every_role_may_see_what_happens_now() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    for role in [Role::Admin, Role::Operator, Role::Viewer, Role::Auditor] {
        let token = rig.token_with(&[role], 60);
        let mut socket = SocketRequest::to(&gateway.url()).enter(&token).await;
        socket.until("sessions_update").await;
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[("PORTAL_ORIGINS", "https://portal.example.com")]).await;
    let with_origin = |origin: &str| SocketRequest::to(&gateway.url()).header("origin", origin);
    for origin in ["https://evil.example.com", "null", "http://127.0.0.1:1"] {
        assert_eq!(with_origin(origin).open().await.err(), Some(403), "{origin}");
    }
    for origin in ["https://portal.example.com", &gateway.url()] {
        assert!(with_origin(origin).open().await.is_ok(), "{origin}");
    }
}

#[tokio::test]
async fn what_is_no_handshake_and_what_is_too_much_is_answered_in_http() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[("REALTIME_MAX_CONNECTIONS", "1")]).await;
    let plain = reqwest::get(format!("{}/ws", gateway.url())).await.unwrap();
    assert_eq!(plain.status(), 400);
    let problem: serde_json::Value = serde_json::from_str(&plain.text().await.unwrap()).unwrap();
    assert_eq!(problem["error"], "not_a_websocket");
    let first = rig.enters(&gateway).await;
    assert_eq!(SocketRequest::to(&gateway.url()).open().await.err(), Some(503));
    drop(first);
    test_support::eventually("there is room again", async || {
        SocketRequest::to(&gateway.url()).open().await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_token_in_the_url_is_worth_nothing() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[("REALTIME_AUTH_SECONDS", "1")]).await;
    let path = format!("/ws?token={}", rig.token());
    let mut socket = SocketRequest::to(&gateway.url()).path(&path).open().await.unwrap();
    assert_eq!(socket.closed().await.code, 4401);
}
