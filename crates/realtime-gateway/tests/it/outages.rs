//! Redis, NATS and the cache come and go; sockets stay.

use serde_json::{Value, json};
use test_support::{LiveList, Socket};

use crate::rig::{Rig, session};

/// Waits until the portal is told that Redis is so.
async fn redis_is(socket: &mut Socket, state: &str) -> Value {
    loop {
        let status = socket.until("status").await;
        if status["redis"] == state {
            return status;
        }
    }
}

#[tokio::test]
async fn without_a_complete_cache_the_sessions_come_from_the_database() {
    let rig = Rig::new().await;
    rig.stored(&session(1)).await;
    rig.redis(&["DEL", &rig.key("live:complete")]).await;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    let snapshot = socket.until("sessions_update").await;
    let shown = &snapshot["sessions"][0];
    assert_eq!((&snapshot["total"], &shown["common_name"]), (&json!(1), &json!("jdoe")));
    assert_eq!(shown["server_instance"], "vpn-1");
    let status = socket.until("status").await;
    assert_eq!(
        (&status["redis"], &status["sessions"]),
        (&json!("filling"), &json!("live"))
    );
    rig.fill_cache().await;
    redis_is(&mut socket, "ok").await;
}

#[tokio::test]
async fn without_redis_changes_go_on_and_the_portal_is_told() {
    let rig = Rig::on_private_servers().await;
    let redis = &rig.servers.as_ref().unwrap().redis;
    let gateway = rig.gateway(&[]).await;
    let mut socket = rig.enters(&gateway).await;
    socket.until("stats_update").await;
    redis.stop().await;
    redis_is(&mut socket, "away").await;
    rig.tells(&[session(1)]).await;
    socket.until("session_connected").await;
    redis.start().await;
    redis_is(&mut socket, "ok").await;
    rig.tells(&[session(2)]).await;
    socket.until("session_connected").await;
}

#[tokio::test]
async fn when_nats_has_lost_the_stream_everybody_begins_anew() {
    let rig = Rig::on_private_servers().await;
    let nats = &rig.servers.as_ref().unwrap().nats;
    let gateway = rig.gateway(&[]).await;
    let (mut socket, mut list) = (rig.enters(&gateway).await, LiveList::default());
    list.take(&socket.until("sessions_update").await);
    rig.tells(&[session(1)]).await;
    list.take(&socket.until("session_connected").await);
    rig.cached(&session(1)).await;
    rig.stored(&session(1)).await;
    nats.kill().await;
    loop {
        let status = socket.until("status").await;
        if status["nats"] == "away" {
            assert_eq!(status["sessions"], "stale");
            break;
        }
    }
    // It was stored while nobody could be told.
    rig.cached(&session(2)).await;
    rig.stored(&session(2)).await;
    nats.start().await;
    assert_eq!(socket.until("resync").await["reason"], "sessions_read_anew");
    list.take(&socket.until("sessions_update").await);
    assert_eq!(list.ids().len(), 2);
    loop {
        if socket.until("status").await["nats"] == "ok" {
            break;
        }
    }
    test_support::eventually("changes are taken again", async || {
        let message = crate::rig::message(&[session(3)]);
        rig.bus.publish_deltas(&[message]).await.ok()
    })
    .await;
    list.take(&socket.until("session_connected").await);
    assert_eq!((list.ids().len(), list.faults), (3, Vec::new()));
}
