//! Snapshot, changes, and coming back.

use serde_json::json;
use test_support::{LiveList, Process, Socket, SocketRequest};

use crate::rig::{Rig, Session, session};

/// Reads until so many changes were told.
async fn follow(socket: &mut Socket, list: &mut LiveList, changes: usize) {
    while list.told.values().sum::<usize>() < changes {
        let frame = socket.next().await.unwrap();
        list.take(&frame);
    }
}

async fn comes_back(rig: &Rig, gateway: &Process, position: Option<&str>) -> Socket {
    SocketRequest::to(&gateway.url())
        .enter_again(&rig.token(), position)
        .await
}

#[tokio::test]
async fn a_snapshot_comes_in_pages_and_then_every_change() {
    let rig = Rig::new().await;
    for number in 1..=5 {
        rig.cached(&session(number)).await;
        rig.stored(&session(number)).await;
    }
    let gateway = rig.gateway(&[("REALTIME_PAGE_SESSIONS", "2")]).await;
    let (mut socket, mut list) = (rig.enters(&gateway).await, LiveList::default());
    for page in 1..=3 {
        let frame = socket.until("sessions_update").await;
        assert_eq!((&frame["page"], &frame["pages"]), (&json!(page), &json!(3)));
        assert_eq!(frame["position"].as_str().unwrap().ends_with('~'), page < 3);
        list.take(&frame);
    }
    assert_eq!((list.ids().len(), list.snapshots), (5, 1));
    rig.tells(&[session(6), session(7), session(1).disconnected()]).await;
    rig.tells(&[session(6).updated(2)]).await;
    follow(&mut socket, &mut list, 4).await;
    assert_eq!(list.faults, Vec::<String>::new());
    assert_eq!(list.ids().len(), 6);
    let told = [
        ("session_connected", 2),
        ("session_disconnected", 1),
        ("session_updated", 1),
    ];
    assert_eq!(list.told, told.map(|(event, count)| (event.to_owned(), count)).into());
}

#[tokio::test]
async fn a_client_that_can_unpack_gets_the_same_snapshot_in_a_fraction_of_the_bytes() {
    let rig = Rig::new().await;
    for number in 1..=30 {
        rig.cached(&session(number)).await;
        rig.stored(&session(number)).await;
    }
    let gateway = rig.gateway(&[("REALTIME_PAGE_SESSIONS", "20")]).await;
    let mut received = Vec::new();
    for compression in [None, Some("gzip"), Some("something newer")] {
        let mut socket = SocketRequest::to(&gateway.url()).open().await.unwrap();
        let token = rig.token();
        let frame = json!({"event": "authenticate", "token": token, "compression": compression});
        socket.send(&frame).await;
        let mut list = LiveList::default();
        while list.snapshots == 0 {
            list.take(&socket.next().await.unwrap());
        }
        assert_eq!((list.ids().len(), &list.faults), (30, &Vec::new()));
        received.push(socket.received);
        // Changes are small, and text.
        rig.tells(&[session(1000 + received.len() as u128)]).await;
        follow(&mut socket, &mut list, 1).await;
        rig.tells(&[session(1000 + received.len() as u128).disconnected()])
            .await;
        follow(&mut socket, &mut list, 2).await;
        assert_eq!(list.ids().len(), 30);
    }
    assert!(received[1] * 2 < received[0], "{received:?} bytes");
    assert!(
        received[2] > received[0] / 2,
        "what is not known is passed over: {received:?}"
    );
}

#[tokio::test]
async fn after_the_snapshot_come_status_servers_and_figures() {
    let rig = Rig::new().await;
    rig.stored(&session(1)).await;
    rig.cached(&session(1)).await;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    let snapshot = socket.until("sessions_update").await;
    let status = socket.until("status").await;
    assert_eq!((&status["nats"], &status["sessions"]), (&json!("ok"), &json!("live")));
    let servers = socket.until("server_update").await;
    if servers["servers"][0]["name"].is_null() {
        // The first look at the servers is a second after the start.
        assert_eq!(
            socket.until("server_update").await["servers"][0]["status"],
            "never_seen"
        );
    } else {
        assert_eq!(servers["servers"][0]["status"], "never_seen");
    }
    rig.tells(&[session(2)]).await;
    loop {
        let stats = socket.until("stats_update").await;
        assert_eq!(snapshot["total"], 1);
        if stats["active_sessions"] == 2 {
            assert_eq!(stats["connects_per_minute"], 1);
            assert_eq!(stats["active_sessions_by_server"], json!({"vpn-1": 2}));
            break;
        }
    }
}

#[tokio::test]
async fn what_happens_to_a_server_is_told() {
    let rig = Rig::new().await;
    rig.stored(&session(1)).await;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    let sql =
        "INSERT INTO vpn_server_state (server_id, last_heard_at, clock_skew_ms) SELECT id, now(), 9000 FROM vpn_server";
    rig.database.sql(sql).await;
    loop {
        let update = socket.until("server_update").await;
        let server = &update["servers"][0];
        if server["status"] == "degraded" {
            assert_eq!(
                (&server["troubles"], &server["clock_skew_ms"]),
                (&json!(["clock_skew"]), &json!(9000))
            );
            break;
        }
    }
}

#[tokio::test]
async fn changes_out_of_order_and_told_twice_reach_nobody_twice() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[]).await;
    let (mut socket, mut list) = (rig.enters(&gateway).await, LiveList::default());
    list.take(&socket.until("sessions_update").await);
    let (ends, stays) = (session(1), session(2));
    for changes in [
        vec![ends.updated(3).disconnected()],
        vec![ends.clone()],
        vec![ends.updated(3)],
        vec![stays.updated(2)],
        vec![stays.clone()],
        vec![stays.updated(2)],
        vec![session(3)],
    ] {
        rig.tells(&changes).await;
    }
    follow(&mut socket, &mut list, 3).await;
    assert_eq!(list.faults, Vec::<String>::new());
    let expected = [(stays.id.to_string(), 2), (session(3).id.to_string(), 1)];
    assert_eq!(list.versions(), expected.into());
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_from_any_gateway() {
    let rig = Rig::new().await;
    let first = rig.gateway(&[]).await;
    let (mut socket, mut list) = (rig.enters(&first).await, LiveList::default());
    list.take(&socket.until("sessions_update").await);
    rig.tells(&[session(1), session(2), session(1).disconnected()]).await;
    follow(&mut socket, &mut list, 2).await;
    // In the middle of a message.
    let position = socket.position.clone();
    drop(socket);
    rig.tells(&[session(3)]).await;
    // As the processor does before it tells.
    for active in [session(2), session(3)] {
        rig.cached(&active).await;
        rig.stored(&active).await;
    }
    let second = rig.gateway(&[]).await;
    for gateway in [&first, &second] {
        let mut list = LiveList::default();
        let mut socket = comes_back(&rig, gateway, position.as_deref()).await;
        assert_eq!(socket.next().await.unwrap()["event"], "resumed");
        follow(&mut socket, &mut list, 2).await;
        assert_eq!(list.faults, Vec::<String>::new());
        let told = [("session_connected", 1), ("session_disconnected", 1)];
        assert_eq!(list.told, told.map(|(event, count)| (event.to_owned(), count)).into());
    }
}

#[tokio::test]
async fn who_comes_back_too_late_begins_anew() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[("REALTIME_REPLAY_BYTES", "65536")]).await;
    let mut socket = rig.enters(&gateway).await;
    socket.until("sessions_update").await;
    let position = socket.position.clone().unwrap();
    drop(socket);
    for number in 1..=4 {
        rig.tells(&[session(number).padded(30_000)]).await;
    }
    let mut watching = rig.enters(&gateway).await;
    let mut list = LiveList::default();
    while list.ids().len() < 4 {
        list.take(&watching.next().await.unwrap());
    }
    for position in [position.as_str(), "0-0-0", "nonsense", &format!("{position}~")] {
        let mut socket = comes_back(&rig, &gateway, Some(position)).await;
        let resync = socket.next().await.unwrap();
        assert_eq!(
            (&resync["event"], &resync["reason"]),
            (&json!("resync"), &json!("position_unknown"))
        );
        let snapshot = socket.next().await.unwrap();
        assert_eq!(
            (&snapshot["event"], &snapshot["total"]),
            (&json!("sessions_update"), &json!(4))
        );
    }
}

#[tokio::test]
async fn what_a_gateway_has_missed_is_found_by_comparing() {
    let rig = Rig::new().await;
    let (ghost, missing): (Session, Session) = (session(1), session(2));
    rig.cached(&ghost).await;
    let gateway = rig.gateway(&[("REALTIME_VERIFY_SECONDS", "1")]).await;
    let (mut socket, mut list) = (rig.enters(&gateway).await, LiveList::default());
    list.take(&socket.until("sessions_update").await);
    assert_eq!(list.ids(), [ghost.id.to_string()]);
    // It ended, and another one began, and nobody was told.
    rig.stored(&missing).await;
    assert_eq!(socket.until("resync").await["reason"], "sessions_read_anew");
    list.take(&socket.until("sessions_update").await);
    assert_eq!(list.ids(), [missing.id.to_string()]);
}
