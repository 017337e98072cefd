use serde_json::{Value, json};
use test_support::{Agent, Stack, eventually};

use super::assert_try_later;

#[tokio::test]
async fn a_full_stream_is_503_until_the_processor_has_made_room() {
    let stack = stack("BUS_TELEMETRY_MAX_BYTES").await;
    let agent = stack.agent("vpn-1");
    stack.processor(0).kill();
    let mut accepted = Vec::new();
    let refused = loop {
        let event = agent.connects(&format!("user-{}", accepted.len()));
        let reply = agent.post_events(json!([event.json()])).await;
        if reply.status != 202 {
            break reply;
        }
        accepted.push(event.event_id().to_string());
        assert!(accepted.len() < 1_000, "the stream is never full");
    };
    assert_try_later(&refused, "bus_full");
    assert!(accepted.len() > 10);

    stack.processor(0).start();
    stack.processor(0).ready().await;
    let late = agent.connects("late");
    eventually("there to be room again", async || {
        agent
            .post_events(json!([late.json()]))
            .await
            .status
            .is_success()
            .then_some(())
    })
    .await;
    accepted.push(late.event_id().to_string());
    accepted.sort();
    let stored = eventually("all to be stored", async || {
        let stored = stack
            .database()
            .sql("SELECT event_id FROM vpn_event ORDER BY event_id")
            .await;
        (stored.lines().count() >= accepted.len()).then_some(stored)
    })
    .await;
    assert_eq!(
        stored.lines().collect::<Vec<_>>(),
        accepted,
        "all that was accepted and nothing else"
    );
}

#[tokio::test]
async fn when_dead_letters_cannot_be_kept_the_batch_is_503_and_whole_when_it_is_sent_again() {
    let stack = stack("BUS_REJECTED_MAX_BYTES").await;
    let agent = stack.agent("vpn-1");
    stack.processor(0).kill();
    let refused = loop {
        let reply = agent.post_events(json!([bad(&agent)])).await;
        if reply.status != 422 {
            break reply;
        }
    };
    assert_try_later(&refused, "bus_full");
    let mixed = json!([agent.connects("good").json(), bad(&agent)]);
    assert_try_later(&agent.post_events(mixed.clone()).await, "bus_full");

    stack.processor(0).start();
    stack.processor(0).ready().await;
    eventually("the batch to be accepted", async || {
        agent.post_events(mixed.clone()).await.status.is_success().then_some(())
    })
    .await;
    let database = stack.database();
    let letter = format!(
        "SELECT count(*) FROM dead_letter WHERE event_id = '{}'",
        mixed[1]["event_id"].as_str().unwrap()
    );
    eventually("good and bad to be where they belong", async || {
        let (events, letters) = (
            database.count("SELECT count(*) FROM vpn_event").await,
            database.count(&letter).await,
        );
        ((events, letters) == (1, 1)).then_some(())
    })
    .await;
}

/// With one stream that a few events fill.
async fn stack(variable: &str) -> Stack {
    Stack::builder()
        .with("*", variable, "20000")
        .with("ingest", "INGEST_RESULT_WAIT_MS", "0")
        .with("session-processor", "PROCESSOR_SWEEP_SECONDS", "1")
        .start()
        .await
}

fn bad(agent: &Agent) -> Value {
    agent.connects("bad").with("real_ip", "nowhere").json()
}
