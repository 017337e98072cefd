use futures_util::future::join_all;
use test_support::Reply;

use crate::support::{Ingest, event};

#[tokio::test]
async fn requests_that_arrive_together_share_messages() {
    let ingest = Ingest::with(|config| config.limits.ingest_linger_micros = 5_000).await;
    let mut telemetry = ingest.telemetry().await;
    ingest.send(&[]).await.expect(200);
    let requests = (0..64).map(|_| Reply::to(ingest.post_events(&[event()]).header("prefer", "respond-async")));
    for reply in join_all(requests).await {
        reply.expect(202);
    }
    let stored = ingest.stored(&mut telemetry).await;
    let requests: usize = stored.iter().map(|batch| batch.requests.len()).sum();
    assert_eq!(requests, 64);
    assert!(stored.len() <= 32, "{} messages for 64 requests", stored.len());
}

#[tokio::test]
async fn messages_stay_below_their_limits() {
    let ingest = Ingest::with(|config| {
        config.limits.ingest_message_max_events = 50;
        config.limits.ingest_message_max_bytes = 10_000;
    })
    .await;
    let mut telemetry = ingest.telemetry().await;
    let events: Vec<_> = (0..400).map(|_| event()).collect();
    ingest.send(&events).await.expect(202);
    let stored = ingest.stored(&mut telemetry).await;
    let counts: Vec<usize> = stored
        .iter()
        .flat_map(|batch| &batch.requests)
        .map(|request| request.events.len())
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), 400);
    assert!(counts.iter().all(|count| *count <= 50), "{counts:?}");
}
