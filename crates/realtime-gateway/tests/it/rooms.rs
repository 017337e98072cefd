//! What a client asks for.

use serde_json::{Value, json};
use test_support::{LiveList, Socket};

use crate::rig::{Rig, session_of};

async fn asks(socket: &mut Socket, event: &str, server: &str) -> Value {
    socket.send(&json!({"event": event, "server_instance": server})).await;
    let rooms = socket.until("rooms").await;
    let snapshot = socket.until("sessions_update").await;
    assert_eq!(rooms["rooms"], snapshot["rooms"]);
    snapshot
}

#[tokio::test]
async fn in_a_room_only_its_server_is_heard_of() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    socket.until("sessions_update").await;
    rig.tells(&[session_of("vpn-1", 1)]).await;
    rig.tells(&[session_of("vpn-2", 2)]).await;
    socket.until("session_connected").await;
    socket.until("session_connected").await;

    let snapshot = asks(&mut socket, "join_server_room", "vpn-2").await;
    assert_eq!((&snapshot["rooms"], &snapshot["total"]), (&json!(["vpn-2"]), &json!(1)));
    rig.tells(&[session_of("vpn-1", 3)]).await;
    rig.tells(&[session_of("vpn-2", 4)]).await;
    let connected = socket.until("session_connected").await;
    assert_eq!(connected["server_instance"], "vpn-2");

    let snapshot = asks(&mut socket, "join_server_room", "vpn-1").await;
    assert_eq!(snapshot["total"], 4);
    asks(&mut socket, "leave_server_room", "vpn-1").await;
    let snapshot = asks(&mut socket, "leave_server_room", "vpn-2").await;
    assert_eq!((&snapshot["rooms"], &snapshot["total"]), (&json!([]), &json!(4)));
    rig.tells(&[session_of("vpn-1", 5)]).await;
    assert_eq!(socket.until("session_connected").await["server_instance"], "vpn-1");
}

#[tokio::test]
async fn a_snapshot_that_is_asked_for_is_followed_by_what_comes_after_it() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let (mut socket, mut list) = (rig.enters(&gateway).await, LiveList::default());
    for round in 0..5 {
        rig.tells(&[session_of("vpn-1", round)]).await;
        socket.send(&json!({"event": "get_active_sessions"})).await;
        while list.snapshots < usize::try_from(round).unwrap() + 2
            || list.ids().len() < usize::try_from(round).unwrap() + 1
        {
            list.take(&socket.next().await.unwrap());
        }
    }
    assert_eq!((list.ids().len(), list.faults), (5, Vec::new()));
}

#[tokio::test]
async fn what_cannot_be_understood_is_answered_and_forgiven() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    for text in [
        "",
        "{",
        "{}",
        r#"{"event":"shout"}"#,
        r#"{"event":"join_server_room","server_instance":"a b"}"#,
    ] {
        socket.send_text(text).await;
        assert_eq!(socket.until("error").await["error"], "invalid_frame", "{text}");
    }
    rig.tells(&[session_of("vpn-1", 1)]).await;
    socket.until("session_connected").await;
}

#[tokio::test]
async fn a_client_that_says_too_much_is_sent_away() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[("REALTIME_MAX_FRAME_BYTES", "2048")]).await;
    let mut large = rig.enters(&gateway).await;
    large.send_text(&"x".repeat(3_000)).await;
    assert_eq!(large.closed().await.code, 1009);
    let mut many = rig.enters(&gateway).await;
    for _ in 0..200 {
        many.send(&json!({"event": "get_active_sessions"})).await;
    }
    assert_eq!(many.closed().await.code, 1008);
}
