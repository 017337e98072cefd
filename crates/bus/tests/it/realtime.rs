use bus::proto::SessionDeltas;

use crate::support::{Nats, bus, eventually};

fn deltas(server_name: &str) -> SessionDeltas {
    SessionDeltas {
        server_name: server_name.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn session_changes_have_one_order_and_a_position_each() {
    let bus = bus().await;
    let before = bus.realtime_state().await.unwrap();
    assert_eq!((before.first, before.last), (1, 0));
    bus.publish_deltas(&[deltas("vpn-1"), deltas("vpn.2")]).await.unwrap();
    bus.publish_deltas(&[deltas("vpn-3")]).await.unwrap();
    let after = bus.realtime_state().await.unwrap();
    assert_eq!((after.epoch, after.first, after.last), (before.epoch, 1, 3));
    let mut feed = bus.deltas_from(2).await.unwrap();
    for (sequence, server_name) in [(2, "vpn.2"), (3, "vpn-3")] {
        let next = feed.next().await.unwrap();
        assert_eq!((next.sequence, next.deltas), (sequence, deltas(server_name)));
    }
}

#[tokio::test]
async fn a_feed_may_begin_before_anything_was_published() {
    let bus = bus().await;
    let mut feed = bus.deltas_from(1).await.unwrap();
    bus.publish_deltas(&[deltas("vpn-1")]).await.unwrap();
    assert_eq!(feed.next().await.unwrap().sequence, 1);
}

#[tokio::test]
async fn a_stream_that_nats_has_lost_is_made_again_with_another_epoch() {
    let (mut nats, config) = Nats::start().await;
    let bus = bus::Bus::connect(&config).await.unwrap();
    bus.publish_deltas(&[deltas("vpn-1")]).await.unwrap();
    let before = bus.realtime_state().await.unwrap();
    let mut feed = bus.deltas_from(1).await.unwrap();
    assert_eq!(feed.next().await.unwrap().sequence, 1);
    nats.stop().await;
    nats.start_again().await;
    assert!(feed.next().await.is_err());
    eventually("deltas are taken again", || async {
        bus.publish_deltas(&[deltas("vpn-2")]).await.is_ok()
    })
    .await;
    let after = bus.realtime_state().await.unwrap();
    assert_ne!(after.epoch, before.epoch);
    assert_eq!((after.first, after.last), (1, 1));
}
