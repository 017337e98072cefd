use bus::{Bus, BusConfig, Error};

use crate::support::config;

#[tokio::test]
async fn streams_are_created_once_and_then_verified() {
    let config = config();
    Bus::connect(&config).await.unwrap();
    Bus::connect(&config).await.unwrap();
}

#[tokio::test]
async fn services_that_start_together_agree_on_the_streams() {
    let config = config();
    let (first, second, third) = tokio::join!(Bus::connect(&config), Bus::connect(&config), Bus::connect(&config));
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
}

#[tokio::test]
async fn a_stream_that_differs_stops_the_start_and_names_the_field() {
    let config = config();
    Bus::connect(&config).await.unwrap();
    let other = BusConfig {
        bus_rejected_max_bytes: 1 << 20,
        ..config
    };
    let Err(Error::StreamDiffers { stream, differences }) = Bus::connect(&other).await else {
        panic!("a different stream was accepted");
    };
    assert!(stream.ends_with("-REJECTED"));
    assert_eq!(differences, "max_bytes is 8388608, declared 1048576");
}

#[tokio::test]
async fn a_consumer_that_differs_stops_the_start_and_names_the_field() {
    let config = config();
    let bus = Bus::connect(&config).await.unwrap();
    drop(bus.telemetry_consumer().await.unwrap());
    let bus = Bus::connect(&BusConfig {
        bus_ack_wait_seconds: 7,
        ..config
    })
    .await
    .unwrap();
    let Err(Error::ConsumerDiffers { differences, .. }) = bus.telemetry_consumer().await else {
        panic!("a different consumer was accepted");
    };
    assert_eq!(differences, "ack_wait is 30s, declared 7s");
}

#[tokio::test]
async fn without_nats_the_start_fails() {
    let config = BusConfig {
        nats_url: "nats://127.0.0.1:1".to_owned(),
        ..config()
    };
    assert!(matches!(Bus::connect(&config).await, Err(Error::Unavailable(_))));
}
