use std::time::Duration;

use bus::Fetch;
use tokio::time::Instant;

use crate::support::{ALL, batch, bus};

#[tokio::test]
async fn a_fetch_ends_at_its_count_and_its_bytes() {
    let bus = bus().await;
    for name in ["a", "b", "c", "d", "e"] {
        bus.publish_telemetry(&batch(name)).await.unwrap();
    }
    let mut consumer = bus.telemetry_consumer().await.unwrap();
    assert_eq!(consumer.fetch(&Fetch { max_messages: 2, ..ALL }).await.len(), 2);
    assert_eq!(consumer.fetch(&Fetch { max_bytes: 1, ..ALL }).await.len(), 1);
    assert_eq!(consumer.fetch(&ALL).await.len(), 2);
}

#[tokio::test]
async fn a_fetch_without_messages_waits_and_is_empty() {
    let bus = bus().await;
    let mut consumer = bus.telemetry_consumer().await.unwrap();
    let started = Instant::now();
    let wait = Duration::from_millis(150);
    assert!(consumer.fetch(&Fetch { wait, ..ALL }).await.is_empty());
    assert!(started.elapsed() >= wait);
}

#[tokio::test]
async fn what_is_handed_back_comes_again_and_is_counted() {
    let bus = bus().await;
    bus.publish_telemetry(&batch("a")).await.unwrap();
    let mut consumer = bus.telemetry_consumer().await.unwrap();
    let first = consumer.fetch(&ALL).await;
    first[0].in_progress().await;
    first[0].nak(Duration::from_millis(50)).await;
    let second = consumer.fetch(&ALL).await;
    assert_eq!(second[0].delivered(), 2);
    assert_eq!(second[0].sequence(), first[0].sequence());
}

#[tokio::test]
async fn replicas_share_the_messages_and_released_ones_move_over() {
    let bus = bus().await;
    let first = bus.telemetry_consumer().await.unwrap();
    let mut first_once = first;
    for name in ["a", "b", "c"] {
        bus.publish_telemetry(&batch(name)).await.unwrap();
    }
    let taken = first_once.fetch(&Fetch { max_messages: 1, ..ALL }).await;
    assert_eq!(taken.len(), 1);
    first_once.release().await;
    let mut second = bus.telemetry_consumer().await.unwrap();
    let mut moved = 0;
    while moved < 2 {
        moved += second.fetch(&ALL).await.len();
    }
    assert_eq!(moved, 2);
}

#[tokio::test]
async fn only_what_is_acknowledged_is_trimmed() {
    let bus = bus().await;
    assert_eq!(bus.trim_acknowledged().await.unwrap(), 0);
    for name in ["a", "b", "c"] {
        bus.publish_telemetry(&batch(name)).await.unwrap();
    }
    assert_eq!(bus.trim_acknowledged().await.unwrap(), 0);
    let mut consumer = bus.telemetry_consumer().await.unwrap();
    let messages = consumer.fetch(&ALL).await;
    messages[0].ack().await;
    messages[2].ack().await;
    crate::support::eventually("one message is trimmed", || async {
        bus.trim_acknowledged().await.unwrap() == 1
    })
    .await;
    assert_eq!(bus.trim_acknowledged().await.unwrap(), 0);
}
