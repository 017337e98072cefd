//! How a socket ends.

use std::time::{Duration, Instant};

use bus::Bus;
use domain::revocation::Revocation;
use domain::role::Role;
use serde_json::json;
use test_support::{Closed, SocketRequest};
use uuid::Uuid;

use crate::rig::{Rig, session};

fn closed(code: u16, reason: &str) -> Closed {
    Closed {
        code,
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn a_socket_ends_when_its_token_expires() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let token = rig.token_with(&[Role::Viewer], 2);
    let mut socket = SocketRequest::to(&gateway.url()).enter(&token).await;
    let entered = Instant::now();
    assert_eq!(socket.closed().await, closed(4401, "expired_token"));
    // Tokens are stamped in whole seconds.
    assert!(entered.elapsed() < Duration::from_secs(3), "{:?}", entered.elapsed());
}

#[tokio::test]
async fn a_client_renews_its_token_on_the_open_socket() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let token = rig.token_with(&[Role::Viewer], 3);
    let mut socket = SocketRequest::to(&gateway.url()).enter(&token).await;
    socket
        .send(&json!({"event": "authenticate", "token": "nonsense"}))
        .await;
    assert_eq!(socket.until("error").await["error"], "invalid_token");
    let longer = rig.token_with(&[Role::Operator], 6);
    socket.send(&json!({"event": "authenticate", "token": longer})).await;
    assert_eq!(socket.until("authenticated").await["roles"], json!(["operator"]));
    let renewed = Instant::now();
    assert_eq!(socket.closed().await, closed(4401, "expired_token"));
    assert!(renewed.elapsed() > Duration::from_secs(4), "{:?}", renewed.elapsed());
}

#[tokio::test]
async fn another_users_token_ends_the_socket() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    let other = rig.token_of(2, &[Role::Admin], 60);
    socket.send(&json!({"event": "authenticate", "token": other})).await;
    assert_eq!(socket.closed().await, closed(4403, "other_user"));
}

async fn ends_within_a_second(bus: &Bus, rig: &Rig, revocation: Revocation) {
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    socket.until("sessions_update").await;
    let revoked = Instant::now();
    bus.publish_access_revoked(revocation).await.unwrap();
    assert_eq!(socket.closed().await, closed(4401, "revoked_token"));
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
    let mut again = SocketRequest::to(&gateway.url()).open().await.unwrap();
    again
        .send(&json!({"event": "authenticate", "token": rig.token()}))
        .await;
    assert_eq!(again.closed().await, closed(4401, "revoked_token"));
}

#[tokio::test]
async fn a_logout_ends_the_sockets_of_that_portal_session() {
    let rig = Rig::new().await;
    ends_within_a_second(&rig.bus, &rig, Revocation::PortalSession(Uuid::from_u128(7))).await;
}

#[tokio::test]
async fn a_change_of_roles_ends_the_sockets_of_that_user() {
    let rig = Rig::new().await;
    let newer = Revocation::PortalUser {
        id: 1,
        token_version: 2,
    };
    ends_within_a_second(&rig.bus, &rig, newer).await;
}

#[tokio::test]
async fn somebody_elses_logout_ends_nothing() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    // What is told before the list is in the list.
    socket.until("sessions_update").await;
    let other = Revocation::PortalSession(Uuid::from_u128(8));
    rig.bus.publish_access_revoked(other).await.unwrap();
    rig.tells(&[session(1)]).await;
    socket.until("session_connected").await;
}

#[tokio::test]
async fn a_gateway_that_stops_says_so_to_everybody() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let mut entered = rig.enters(&gateway).await;
    let mut silent = SocketRequest::to(&gateway.url()).open().await.unwrap();
    let stopped = Instant::now();
    gateway.terminate();
    assert_eq!(entered.closed().await, closed(1012, "restarting"));
    assert_eq!(silent.closed().await, closed(1012, "restarting"));
    assert!(gateway.exited().await.success());
    assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
}
