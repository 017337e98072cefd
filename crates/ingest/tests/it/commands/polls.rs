//! Polls that wait: what wakes them, how many there may be, how they end.

use std::time::{Duration, Instant};

use serde_json::json;
use test_support::{Reply, eventually};

use super::{WAIT, command, poll, request, server_key, state};
use crate::support::{Ingest, SECRET, assert_problem};

/// An agent that polls again and again.
fn waits(ingest: &Ingest, key: String) -> tokio::task::JoinHandle<()> {
    let address = ingest.address();
    tokio::spawn(async move {
        loop {
            let poll = reqwest::Client::new()
                .get(format!(
                    "http://{address}/api/v1/commands?wait_seconds=1&denials_version="
                ))
                .bearer_auth(&key);
            Reply::to(poll).await;
        }
    })
}

/// No look into the database within the test: only the bus can wake a poll.
async fn woken_by_the_bus_alone() -> Ingest {
    Ingest::with(|config| config.limits.ingest_command_look_ms = 60_000).await
}

#[tokio::test]
async fn a_poll_that_waits_is_woken_over_the_bus() {
    let ingest = woken_by_the_bus_alone().await;
    let server = server_key(&ingest, "vpn-1").await;
    let waiting = poll(&ingest, WAIT);
    let telling = async {
        command(&ingest, 1, "vpn-1").await;
        // Told again: the poll may not have been there the first time.
        eventually("the command to be delivered", async || {
            ingest.bus.publish_commands_waiting(vec![server]).await.unwrap();
            (state(&ingest, 1).await["state"] == "delivered").then_some(())
        })
        .await;
    };
    let (answer, ()) = tokio::join!(waiting, telling);
    assert_eq!(answer.expect(200).json()["commands"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_poll_that_waits_finds_its_command_without_the_bus() {
    let ingest = Ingest::with(|config| config.limits.ingest_command_look_ms = 100).await;
    let (answer, ()) = tokio::join!(poll(&ingest, WAIT), async {
        eventually("the poll to wait", async || {
            let reads = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%unnest($1::integer[])%' AND datname = current_database()";
            (ingest.database.count(reads).await > 0).then_some(())
        })
        .await;
        command(&ingest, 1, "vpn-1").await;
    });
    assert_eq!(answer.expect(200).json()["commands"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_poll_that_nothing_comes_for_ends_when_its_time_is_over() {
    let ingest = Ingest::start().await;
    let begun = Instant::now();
    let answer = poll(&ingest, "/api/v1/commands?wait_seconds=1&denials_version=")
        .await
        .expect(200);
    assert_eq!(answer.json()["commands"], json!([]));
    assert!(begun.elapsed() >= Duration::from_secs(1), "it waited");
}

#[tokio::test]
async fn a_key_that_is_revoked_while_its_poll_waits_gets_no_command() {
    let ingest = Ingest::with(|config| config.limits.ingest_command_look_ms = 100).await;
    let waiting = poll(&ingest, WAIT);
    let revoking = async {
        ingest
            .database
            .sql("UPDATE server_api_key SET revoked_at = now()")
            .await;
        eventually("the revocation to act", async || {
            ingest.bus.publish_api_key_revoked("abcdefghij01").await.unwrap();
            (poll(&ingest, "/api/v1/commands").await.status == 401).then_some(())
        })
        .await;
        command(&ingest, 1, "vpn-1").await;
    };
    let (answer, ()) = tokio::join!(waiting, revoking);
    assert_problem(&answer, 401, "invalid_api_key");
    assert_eq!(state(&ingest, 1).await["state"], "requested", "nobody has it");
}

#[tokio::test]
async fn polls_are_bounded_by_server_and_in_all() {
    let ingest = Ingest::with(|config| {
        config.limits.ingest_command_polls = 2;
        config.limits.ingest_command_polls_per_server = 1;
    })
    .await;
    ingest.register("vpn-2", "abcdefghij02").await;
    ingest.register("vpn-3", "abcdefghij03").await;
    // Its agent may be gone, and started again: the newer one has the place.
    let left = tokio::spawn(Reply::to(request(&ingest, WAIT, &ingest.key)));
    eventually("the poll to wait", async || {
        let metrics = ingest.get("/metrics").await.body;
        metrics.contains("ingest_command_polls 1").then_some(())
    })
    .await;
    let one = waits(&ingest, ingest.key.clone());
    let left = left.await.unwrap();
    assert_problem(&left, 429, "too_many_polls");
    assert!(left.header("retry-after").is_some());
    let two = waits(&ingest, format!("ovt_abcdefghij02_{SECRET}"));
    eventually("the second poll to wait", async || {
        let reply = Reply::to(request(
            &ingest,
            "/api/v1/commands",
            &format!("ovt_abcdefghij03_{SECRET}"),
        ))
        .await;
        (reply.status == 503).then(|| assert_problem(&reply, 503, "overloaded"))
    })
    .await;
    // A poll that its agent has left makes room, when its time is over at the latest.
    one.abort();
    two.abort();
    eventually("room again", async || {
        (poll(&ingest, "/api/v1/commands").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_poll_that_waits_ends_cleanly_when_ingest_does() {
    let ingest = Ingest::start().await;
    let waiting = tokio::spawn(request(&ingest, WAIT, &ingest.key).send());
    eventually("the poll to wait", async || {
        let reads = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%unnest($1::integer[])%' AND datname = current_database()";
        (ingest.database.count(reads).await > 0).then_some(())
    })
    .await;
    ingest.stop().await;
    let answer = waiting.await.unwrap().expect("an answer");
    assert_eq!(answer.status(), 200);
}
