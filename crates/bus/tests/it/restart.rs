use std::time::Duration;

use bus::{Bus, Fetch, PublishError};
use tokio::time::Instant;

use crate::support::{ALL, Nats, batch, eventually};

#[tokio::test]
async fn a_stopped_nats_fails_publishes_at_once_and_loses_nothing() {
    let (mut nats, config) = Nats::start().await;
    let bus = Bus::connect(&config).await.unwrap();
    let mut reconnects = bus.on_reconnect();
    let mut consumer = bus.telemetry_consumer().await.unwrap();
    bus.publish_telemetry(&batch("before")).await.unwrap();

    nats.stop().await;
    let started = Instant::now();
    let refused = bus.publish_telemetry(&batch("during")).await;
    assert!(matches!(refused, Err(PublishError::Unavailable(_))), "{refused:?}");
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "the publish waited for its timeout"
    );
    assert!(bus.ping().await.is_err());

    nats.start_again().await;
    reconnects.changed().await.unwrap();
    eventually("publishing works again", || async {
        bus.publish_telemetry(&batch("after")).await.is_ok()
    })
    .await;

    let names = fetch_until(&mut consumer, "after").await;
    assert!(names.contains(&"before".to_owned()), "{names:?}");
}

#[tokio::test]
async fn a_consumer_waits_quietly_while_nats_is_away() {
    let (mut nats, config) = Nats::start().await;
    let bus = Bus::connect(&config).await.unwrap();
    let mut consumer = bus.telemetry_consumer().await.unwrap();
    nats.stop().await;
    let mut fetches = 0;
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(600) {
        assert!(
            consumer
                .fetch(&Fetch {
                    wait: Duration::from_millis(200),
                    ..ALL
                })
                .await
                .is_empty()
        );
        fetches += 1;
    }
    assert!(fetches <= 4, "{fetches} fetches in 600 ms");
    nats.start_again().await;
    eventually("publishing works again", || async {
        bus.publish_telemetry(&batch("after")).await.is_ok()
    })
    .await;
    fetch_until(&mut consumer, "after").await;
}

async fn fetch_until(consumer: &mut bus::TelemetryConsumer, last: &str) -> Vec<String> {
    let mut names = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(15);
    while !names.iter().any(|name| name == last) {
        assert!(Instant::now() < deadline, "{last} was not delivered, only {names:?}");
        for message in consumer
            .fetch(&Fetch {
                wait: Duration::from_secs(1),
                ..ALL
            })
            .await
        {
            names.extend(
                message
                    .decode()
                    .unwrap()
                    .requests
                    .into_iter()
                    .map(|request| request.server_name),
            );
            message.ack().await;
        }
    }
    names
}
