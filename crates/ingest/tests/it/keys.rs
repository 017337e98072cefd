use std::time::Duration;

use test_support::{Reply, eventually_within};

use crate::support::{Ingest, SECRET, assert_problem, event};

async fn answer_to(ingest: &Ingest, authorization: Option<&str>) -> Reply {
    let url = format!("http://{}/api/v1/events", ingest.address());
    let mut request = test_support::http_client()
        .post(url)
        .header("content-type", "application/json")
        .body("{}");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    Reply::to(request).await
}

#[tokio::test]
async fn whatever_is_wrong_with_a_key_the_answer_is_the_same() {
    let ingest = Ingest::start().await;
    ingest.register("vpn-revoked", "revoked00001").await;
    ingest.register("vpn-retired", "retired00001").await;
    ingest
        .database
        .sql("UPDATE server_api_key SET revoked_at = now() WHERE key_id = 'revoked00001'")
        .await;
    ingest
        .database
        .sql("UPDATE vpn_server SET retired_at = now() WHERE name = 'vpn-retired'")
        .await;
    let wrong = [
        None,
        Some(String::new()),
        Some("Bearer x".to_owned()),
        Some(format!("Bearer ovt_unknown00001_{SECRET}")),
        Some(format!("Bearer ovt_abcdefghij01_{}", "x".repeat(32))),
        Some(format!("Bearer ovt_revoked00001_{SECRET}")),
        Some(format!("Bearer ovt_retired00001_{SECRET}")),
    ];
    let mut details = Vec::new();
    for authorization in wrong {
        let reply = answer_to(&ingest, authorization.as_deref()).await;
        assert_problem(&reply, 401, "invalid_api_key");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        details.push(reply.json()["detail"].clone());
    }
    details.dedup();
    assert_eq!(details.len(), 1);
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_second() {
    let ingest = Ingest::start().await;
    ingest.send(&[event()]).await.expect(202);
    ingest
        .database
        .sql("UPDATE server_api_key SET revoked_at = now()")
        .await;
    ingest.bus.publish_api_key_revoked("abcdefghij01").await.unwrap();
    eventually_within(Duration::from_secs(1), "the key is refused", async || {
        let reply = ingest.send(&[]).await;
        (reply.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_created_later_works_soon() {
    let ingest = Ingest::start().await;
    let authorization = format!("Bearer ovt_later0000001_{SECRET}");
    assert_eq!(answer_to(&ingest, Some(&authorization)).await.status, 401);
    ingest.register("vpn-2", "later0000001").await;
    eventually_within(Duration::from_secs(10), "the key is known", async || {
        (answer_to(&ingest, Some(&authorization)).await.status == 400).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_used_at_once_by_many_is_looked_up_once() {
    let ingest = Ingest::start().await;
    let requests = (0..50).map(|_| ingest.send(&[]));
    for reply in futures_util::future::join_all(requests).await {
        reply.expect(200);
    }
    let reads = ingest
        .database
        .count("SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_indexes WHERE indexrelname = 'server_api_key_pkey'")
        .await;
    // Statistics come late, never too high.
    assert!(reads <= 2, "{reads} look-ups");
}
