use bus::proto::{RefusedEvent, RequestOutcome};
use serde_json::json;
use test_support::Reply;
use uuid::Uuid;

use crate::support::{Ingest, assert_problem, body, event, event_with};

#[tokio::test]
async fn processed_events_are_answered_with_the_processors_counts() {
    let ingest = Ingest::with(|config| config.limits.ingest_result_wait_ms = 10_000).await;
    let processor = ingest
        .process(|request| RequestOutcome {
            sessions_created: u32::try_from(request.events.len()).unwrap(),
            sessions_updated: 4,
            duplicates: 1,
            ..RequestOutcome::default()
        })
        .await;
    let bad = event_with("real_ip", "203.0.113.500");
    let reply = ingest.send(&[event(), bad.clone(), event()]).await.expect(200);
    let detail = r#"real_ip is "203.0.113.500", expected an IPv4 or IPv6 address."#;
    assert_eq!(
        reply.json(),
        json!({
            "status": "ok", "events_received": 3, "events_accepted": 2, "sessions_created": 2, "sessions_updated": 4,
            "duplicates": 1,
            "errors": [{"index": 1, "event_id": bad["event_id"], "error": "invalid_real_ip", "detail": detail}],
        })
    );
    processor.abort();
}

#[tokio::test]
async fn without_counts_in_time_the_answer_is_202() {
    let ingest = Ingest::start().await;
    let reply = ingest.send(&[event(), event_with("seq", -1)]).await.expect(202);
    let answer = reply.json();
    assert_eq!(
        (
            &answer["status"],
            &answer["events_received"],
            &answer["events_accepted"]
        ),
        (&json!("accepted"), &json!(2), &json!(1))
    );
    assert_eq!(answer["errors"][0]["error"], "invalid_seq");
    assert_eq!(answer.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn who_prefers_not_to_wait_is_answered_once_it_is_stored() {
    let ingest = Ingest::with(|config| config.limits.ingest_result_wait_ms = 60_000).await;
    let mut telemetry = ingest.telemetry().await;
    let reply = Reply::to(ingest.post_events(&[event()]).header("prefer", "respond-async"))
        .await
        .expect(202);
    assert_eq!(reply.header("preference-applied"), Some("respond-async"));
    let stored = ingest.stored(&mut telemetry).await;
    assert_eq!(stored[0].requests[0].reply_subject, "");
}

#[tokio::test]
async fn a_stored_request_says_everything_about_itself() {
    let ingest = Ingest::start().await;
    let mut telemetry = ingest.telemetry().await;
    let boot = Uuid::from_u128(5);
    let events = [event_with("seq", 7), json!({"seq": 8}), event_with("seq", 9)];
    let mut body: serde_json::Value = serde_json::from_str(&body(&events)).unwrap();
    body["boot_id"] = boot.to_string().into();
    Reply::to(ingest.post("/api/v1/events", body.to_string()))
        .await
        .expect(202);

    let stored = ingest.stored(&mut telemetry).await;
    let request = &stored[0].requests[0];
    assert_eq!((request.server_name.as_str(), request.server_key), ("vpn-1", 1));
    assert_eq!(request.boot().unwrap(), Some(boot));
    assert_eq!(request.sent_at_us, Some(1_770_984_000_000_000));
    assert!(request.received_at_us > 1_770_984_000_000_000);
    assert_eq!(request.request_id.len(), 16);
    assert_eq!(request.rejected_seqs, [8]);
    let seqs: Vec<_> = request.events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [Some(7), Some(9)]);
    let first = request.events[0].clone().into_event(Some(boot)).unwrap();
    assert_eq!(first.event_id.to_string(), events[0]["event_id"].as_str().unwrap());
    assert_eq!(first.sessions[0].common_name, "jdoe");
}

#[tokio::test]
async fn what_the_processor_refuses_is_an_error_at_its_place() {
    let ingest = Ingest::with(|config| config.limits.ingest_result_wait_ms = 10_000).await;
    let processor = ingest
        .process(|request| {
            let event_id = request.events[1].event_id.clone();
            let refused = RefusedEvent {
                event_id,
                error: "poison".to_owned(),
                detail: "why".to_owned(),
            };
            RequestOutcome {
                refused: vec![refused],
                ..RequestOutcome::default()
            }
        })
        .await;
    let events = [event(), event_with("seq", "x"), event()];
    let answer = ingest.send(&events).await.expect(200).json();
    assert_eq!(answer["events_accepted"], 1);
    assert_eq!(answer["errors"][0]["index"], 1);
    assert_eq!(
        answer["errors"][1],
        json!({"index": 2, "event_id": events[2]["event_id"], "error": "poison", "detail": "why"})
    );
    processor.abort();
}

#[tokio::test]
async fn a_request_that_is_split_is_answered_for_the_whole() {
    let ingest = Ingest::with(|config| {
        config.limits.ingest_result_wait_ms = 10_000;
        config.limits.ingest_message_max_events = 10;
    })
    .await;
    let processor = ingest
        .process(|request| RequestOutcome {
            sessions_created: u32::try_from(request.events.len()).unwrap(),
            ..RequestOutcome::default()
        })
        .await;
    let events: Vec<_> = (0..95).map(|_| event()).collect();
    let answer = ingest.send(&events).await.expect(200).json();
    assert_eq!(
        (&answer["events_accepted"], &answer["sessions_created"]),
        (&json!(95), &json!(95))
    );
    processor.abort();
}

#[tokio::test]
async fn an_empty_request_is_in_order() {
    let ingest = Ingest::start().await;
    let answer = ingest.send(&[]).await.expect(200).json();
    assert_eq!(
        (&answer["status"], &answer["events_received"]),
        (&json!("ok"), &json!(0))
    );
}

#[tokio::test]
async fn a_heartbeat_reaches_the_processor() {
    let ingest = Ingest::with(|config| config.limits.ingest_result_wait_ms = 10_000).await;
    let processor = ingest
        .process(|request| {
            assert_eq!(request.heartbeat.as_ref().unwrap().cpu_percent, Some(12.5));
            RequestOutcome::default()
        })
        .await;
    let heartbeat = json!({"server_id": "vpn-1", "sent_at": "2026-02-13T12:00:00Z", "cpu_percent": 12.5});
    let reply = Reply::to(ingest.post("/api/v1/heartbeat", heartbeat.to_string()))
        .await
        .expect(200);
    assert_eq!(reply.json(), json!({"status": "ok"}));
    processor.abort();
    let reply = Reply::to(ingest.post("/api/v1/heartbeat", r#"{"server_id":"vpn-1","cpu_percent":"high"}"#)).await;
    assert_problem(&reply, 400, "invalid_heartbeat");
}

#[tokio::test]
async fn compressed_bodies_are_read() {
    let ingest = Ingest::start().await;
    let text = body(&[event()]);
    let gzip = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = zstd::stream::encode_all(text.as_bytes(), 3).unwrap();
    for (encoding, body) in [("gzip", gzip), ("zstd", zstd)] {
        Reply::to(ingest.post("/api/v1/events", body).header("content-encoding", encoding))
            .await
            .expect(202);
    }
}
