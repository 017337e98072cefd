use std::time::Duration;

use serde_json::{Value, json};
use test_support::Reply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Ingest, assert_problem, body, event, event_with};

#[tokio::test]
async fn a_bad_request_is_named_and_stores_nothing() {
    let ingest = Ingest::with(|config| {
        config.limits.ingest_max_body_bytes = 20_000;
        config.limits.ingest_max_events = 3;
    })
    .await;
    let (mut telemetry, mut rejected) = (ingest.telemetry().await, ingest.bus.rejected_consumer().await.unwrap());
    let path = "/api/v1/events";
    let good = body(&[event()]);
    let bomb = zstd::stream::encode_all(vec![b' '; 64 << 20].as_slice(), 3).unwrap();
    let cut = zstd::stream::encode_all(good.as_bytes(), 3).unwrap();
    let cases = [
        (400, "invalid_json", ingest.post(path, "{")),
        (400, "invalid_body", ingest.post(path, "[]")),
        (400, "missing_field", ingest.post(path, r#"{"server_id":"vpn-1"}"#)),
        (
            400,
            "invalid_sent_at",
            ingest.post(path, r#"{"server_id":"vpn-1","sent_at":"now","events":[]}"#),
        ),
        (
            400,
            "invalid_content_encoding",
            ingest.post(path, good.clone()).header("content-encoding", "zstd"),
        ),
        (
            400,
            "invalid_content_encoding",
            ingest
                .post(path, cut[..cut.len() - 2].to_vec())
                .header("content-encoding", "zstd"),
        ),
        (
            403,
            "wrong_server_id",
            ingest.post(path, good.replace("vpn-1", "vpn-2")),
        ),
        (413, "payload_too_large", ingest.post(path, " ".repeat(20_001))),
        (
            413,
            "payload_too_large",
            ingest.post(path, bomb).header("content-encoding", "zstd"),
        ),
        (
            413,
            "too_many_events",
            ingest.post_events(&[event(), event(), event(), event()]),
        ),
        (
            415,
            "unsupported_content_encoding",
            ingest.post(path, good.clone()).header("content-encoding", "br"),
        ),
        (404, "not_found", ingest.post("/api/v1/other", good.clone())),
    ];
    for (status, error, request) in cases {
        assert_problem(&Reply::to(request).await, status, error);
    }
    let url = format!("http://{}{path}", ingest.address());
    let text = test_support::http_client()
        .post(url)
        .bearer_auth(&ingest.key)
        .header("content-type", "text/plain")
        .body(good);
    assert_problem(&Reply::to(text).await, 415, "unsupported_media_type");
    assert!(ingest.stored(&mut telemetry).await.is_empty());
    assert!(ingest.rejected(&mut rejected).await.is_empty());
}

#[tokio::test]
async fn bad_events_become_dead_letters_and_the_others_are_stored() {
    let ingest = Ingest::start().await;
    let (mut telemetry, mut rejected) = (ingest.telemetry().await, ingest.bus.rejected_consumer().await.unwrap());
    let bad = event_with("common_name", "");
    ingest
        .send(&[bad.clone(), event(), json!("no object")])
        .await
        .expect(202);
    assert_eq!(ingest.stored(&mut telemetry).await[0].requests[0].events.len(), 1);
    let letters = ingest.rejected(&mut rejected).await;
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].error, "invalid_common_name");
    assert_eq!(letters[0].server_name, "vpn-1");
    assert_eq!(Value::from(letters[0].event_id.clone()), bad["event_id"]);
    assert_eq!(serde_json::from_str::<Value>(&letters[0].event_json).unwrap(), bad);
    assert!(!letters[0].request_id.is_empty());
    assert_eq!(
        (letters[1].error.as_str(), letters[1].event_id.as_str()),
        ("invalid_event", "")
    );
}

#[tokio::test]
async fn a_request_without_any_acceptable_event_is_422_and_its_numbers_are_no_gaps() {
    let ingest = Ingest::start().await;
    let (mut telemetry, mut rejected) = (ingest.telemetry().await, ingest.bus.rejected_consumer().await.unwrap());
    let mut bad = event_with("type", "NONSENSE");
    bad["seq"] = 12.into();
    let first = ingest.send(&[bad.clone(), json!(5)]).await;
    assert_problem(&first, 422, "no_acceptable_event");
    assert_eq!(first.json()["errors"][0]["error"], "invalid_type");
    assert_eq!(first.json()["errors"][1]["error"], "invalid_event");
    let stored = ingest.stored(&mut telemetry).await;
    assert_eq!(
        (
            stored[0].requests[0].events.len(),
            &stored[0].requests[0].rejected_seqs[..]
        ),
        (0, &[12][..])
    );

    assert_problem(&ingest.send(&[bad, json!(5)]).await, 422, "no_acceptable_event");
    let letters = ingest.rejected(&mut rejected).await;
    assert_eq!(letters.len(), 4);
    assert_eq!(
        letters[0].id, letters[2].id,
        "the same bad event is the same dead letter"
    );
}

#[tokio::test]
async fn a_snapshot_that_no_message_can_hold_is_refused_alone() {
    let ingest = Ingest::with(|config| config.limits.ingest_max_body_bytes = 64 << 20).await;
    let sessions = ingest.bus.max_payload() / 300;
    let list = vec![json!({"common_name": "x".repeat(255), "username": "y".repeat(255)}); sessions];
    let mut snapshot = event_with("type", "SESSION_SNAPSHOT");
    snapshot["sessions"] = list.into();
    let answer = ingest.send(&[event(), snapshot, event()]).await.expect(202).json();
    assert_eq!(answer["events_accepted"], 2);
    assert_eq!(
        (&answer["errors"][0]["index"], &answer["errors"][0]["error"]),
        (&json!(1), &json!("invalid_sessions"))
    );
}

#[tokio::test]
async fn a_server_over_its_rate_is_told_when_to_come_back() {
    let ingest = Ingest::with(|config| {
        config.limits.ingest_events_burst = 10.try_into().unwrap();
        config.limits.ingest_events_per_second = 1.try_into().unwrap();
    })
    .await;
    let eight: Vec<_> = (0..8).map(|_| event()).collect();
    ingest.send(&eight).await.expect(202);
    let reply = ingest.send(&eight).await;
    assert_problem(&reply, 429, "rate_limited");
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=8).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let ingest = Ingest::with(|config| config.limits.ingest_body_timeout_seconds = 1).await;
    let mut connection = TcpStream::connect(ingest.address()).await.unwrap();
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\n\r\n{{",
        ingest.key
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(10), connection.read_exact(&mut answer)).await;
    read.expect("an answer in time").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn bodies_in_hand_cannot_take_all_memory() {
    let ingest = Ingest::with(|config| config.limits.ingest_bodies_max_bytes = 1 << 20).await;
    let large = format!("{}{}", body(&[event()]), " ".repeat(2 << 20));
    let reply = Reply::to(ingest.post("/api/v1/events", large)).await;
    assert_problem(&reply, 503, "overloaded");
    assert!(reply.header("retry-after").is_some());
    ingest.send(&[event()]).await.expect(202);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_what_it_sent() {
    let ingest = Ingest::with(|config| config.limits.ingest_linger_micros = 2_000_000).await;
    let mut telemetry = ingest.telemetry().await;
    let text = body(&[event()]);
    let request = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{text}",
        ingest.key,
        text.len()
    );
    // The key is in the cache already, so that the request is in hand at once.
    ingest.send(&[]).await.expect(200);
    let mut connection = TcpStream::connect(ingest.address()).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    connection.set_zero_linger().unwrap();
    test_support::eventually("the request is in the queue", async || {
        let metrics = ingest.get("/metrics").await.body;
        metrics.contains("ingest_queue_requests 1").then_some(())
    })
    .await;
    drop(connection);
    let stored = test_support::eventually("the event is stored", async || {
        ingest.stored(&mut telemetry).await.pop()
    })
    .await;
    assert_eq!(stored.requests[0].events.len(), 1);
}
