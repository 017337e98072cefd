use std::time::{Duration, Instant};

use test_support::{PrivateServers, eventually, eventually_within};

use crate::support::{Ingest, SECRET, assert_problem, event};

#[tokio::test]
async fn a_full_stream_is_503_until_there_is_room() {
    let ingest = Ingest::with(|config| {
        config.bus.bus_telemetry_max_bytes = 4_000;
        config.limits.ingest_result_wait_ms = 0;
    })
    .await;
    let mut stored = 0;
    let refused = loop {
        let reply = ingest.send(&[event()]).await;
        match reply.status.as_u16() {
            202 => stored += 1,
            _ => break reply,
        }
    };
    assert!(stored > 0);
    assert_problem(&refused, 503, "bus_full");
    assert!(refused.header("retry-after").is_some());

    let mut telemetry = ingest.telemetry().await;
    let kept: usize = ingest
        .stored(&mut telemetry)
        .await
        .iter()
        .map(|batch| batch.requests.len())
        .sum();
    assert_eq!(
        kept, stored,
        "what was answered 202 is there, what was answered 503 is not"
    );
    eventually("there is room again", async || {
        ingest.bus.trim_acknowledged().await.unwrap();
        (ingest.send(&[event()]).await.status == 202).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_nats_nothing_is_accepted_and_afterwards_all_goes_on() {
    let servers = PrivateServers::start().await;
    let ingest = Ingest::on(servers.database(), &servers.nats_url(), |_| {}).await;
    ingest.send(&[event()]).await.expect(202);

    servers.nats.kill().await;
    let started = Instant::now();
    let refused = ingest.send(&[event()]).await;
    assert_problem(&refused, 503, "bus_unavailable");
    assert!(refused.header("retry-after").is_some());
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "an answer after {:?}",
        started.elapsed()
    );
    assert_eq!(ingest.get("/readyz").await.status, 503);

    servers.nats.start().await;
    eventually("events are accepted again", async || {
        (ingest.send(&[event()]).await.status == 202).then_some(())
    })
    .await;
    eventually("it is ready again", async || {
        (ingest.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_postgresql_known_keys_go_on_and_unknown_ones_are_not_called_wrong() {
    let servers = PrivateServers::start().await;
    let ingest = Ingest::on(servers.database(), &servers.nats_url(), |config| {
        config.limits.ingest_key_cache_seconds = 1;
        config.database.database_connect_timeout_seconds = 1;
    })
    .await;
    ingest.send(&[event()]).await.expect(202);
    servers.postgres.kill().await;

    let until = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < until {
        ingest.send(&[event()]).await.expect(202);
    }
    assert_eq!(ingest.get("/readyz").await.status, 200);
    let url = format!("http://{}/api/v1/events", ingest.address());
    let unknown = test_support::http_client()
        .post(url)
        .bearer_auth(format!("ovt_unknown00001_{SECRET}"))
        .body("{}");
    assert_problem(&test_support::Reply::to(unknown).await, 503, "key_check_unavailable");
}

#[tokio::test]
async fn a_key_revoked_while_nats_is_away_is_refused_once_it_is_back() {
    let servers = PrivateServers::start().await;
    let ingest = Ingest::on(servers.database(), &servers.nats_url(), |_| {}).await;
    ingest.send(&[event()]).await.expect(202);
    servers.nats.kill().await;
    ingest
        .database
        .sql("UPDATE server_api_key SET revoked_at = now()")
        .await;
    assert_problem(&ingest.send(&[event()]).await, 503, "bus_unavailable");
    servers.nats.start().await;
    eventually_within(Duration::from_secs(10), "the key is refused", async || {
        (ingest.send(&[event()]).await.status == 401).then_some(())
    })
    .await;
}
