use bus::proto::{RejectedBatch, RejectedEvent, TelemetryBatch};
use bus::{Bus, BusConfig, EncodedRequest, PublishError};

use crate::support::{ALL, batch, bus, config};

#[tokio::test]
async fn what_is_published_is_consumed() {
    let bus = bus().await;
    let mut consumer = bus.telemetry_consumer().await.unwrap();
    bus.publish_telemetry(&batch("vpn-1")).await.unwrap();
    let messages = consumer.fetch(&ALL).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].decode().unwrap(), batch("vpn-1"));
    assert_eq!(messages[0].delivered(), 1);
}

#[tokio::test]
async fn requests_encoded_one_by_one_become_one_message() {
    let bus = bus().await;
    let requests: Vec<_> = ["a", "b"].iter().flat_map(|name| batch(name).requests).collect();
    let encoded: Vec<_> = requests.iter().map(EncodedRequest::new).collect();
    bus.publish_requests(encoded.iter()).await.unwrap();
    let messages = bus.telemetry_consumer().await.unwrap().fetch(&ALL).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].decode().unwrap(), TelemetryBatch { requests });
}

#[tokio::test]
async fn rejected_events_have_a_stream_of_their_own() {
    let bus = bus().await;
    let rejected = RejectedBatch {
        events: vec![RejectedEvent {
            error: "x".to_owned(),
            ..Default::default()
        }],
    };
    bus.publish_rejected(&rejected).await.unwrap();
    let messages = bus.rejected_consumer().await.unwrap().fetch(&ALL).await;
    assert_eq!(messages[0].decode().unwrap(), rejected);
}

#[tokio::test]
async fn a_full_stream_is_told_apart() {
    let bus = Bus::connect(&BusConfig {
        bus_telemetry_max_bytes: 4_096,
        ..config()
    })
    .await
    .unwrap();
    let large = batch(&"x".repeat(3_000));
    bus.publish_telemetry(&large).await.unwrap();
    assert!(matches!(
        bus.publish_telemetry(&large).await,
        Err(PublishError::Full(_))
    ));
}

#[tokio::test]
async fn a_message_larger_than_nats_takes_is_refused_before_it_is_sent() {
    let bus = bus().await;
    let large = batch(&"x".repeat(bus.max_payload()));
    assert!(matches!(
        bus.publish_telemetry(&large).await,
        Err(PublishError::TooLarge { .. })
    ));
    assert!(bus.is_connected());
}
