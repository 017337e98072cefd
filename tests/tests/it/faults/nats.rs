use serde_json::{Value, json};
use test_support::{Process, Stack, eventually};

use super::{assert_problem, assert_try_later};

#[tokio::test]
async fn without_nats_ingest_stores_nothing_says_so_and_recovers_by_itself() {
    let stack = Stack::builder().private_servers().nginx().start().await;
    let agent = stack.agent("vpn-1");
    agent.connects("before").await;
    let services = [stack.ingest(0), stack.processor(0)];
    let ids = services.map(Process::id);

    stack.servers().nats.stop().await;
    let during = agent.connects("during").json();
    let refused = agent.post_events(json!([during])).await;
    assert_try_later(&refused, "bus_unavailable");
    assert_try_later(&agent.heartbeat(json!({"cpu_percent": 1})).await, "bus_unavailable");
    for service in services {
        assert_eq!(readiness(service).await, 503);
    }
    stack.api().get("/api/sessions").await;
    assert_eq!(stack.database().count("SELECT count(*) FROM vpn_event").await, 1);

    stack.servers().nats.start().await;
    eventually("the same event to be accepted", async || {
        agent
            .post_events(json!([during]))
            .await
            .status
            .is_success()
            .then_some(())
    })
    .await;
    agent.connects("after").await;
    let names = eventually("all three sessions", async || {
        let names = common_names(&stack.api().get("/api/sessions?sort=connected_at").await);
        (names.len() >= 3).then_some(names)
    })
    .await;
    assert_eq!(names, ["before", "during", "after"]);
    for service in services {
        eventually("it is ready again", async || {
            (readiness(service).await == 200).then_some(())
        })
        .await;
    }
    assert!(services.iter().all(|service| service.is_running()));
    assert_eq!(services.map(Process::id), ids, "nobody was started anew");
}

#[tokio::test]
async fn with_ingest_down_nginx_tells_agents_to_come_back() {
    let stack = Stack::builder().nginx().start().await;
    let agent = stack.agent("vpn-1");
    agent.connects("before").await;
    stack.ingest(0).kill();
    let reply = agent.post_events(json!([agent.connects("during").json()])).await;
    assert_try_later(&reply, "service_unavailable");
    stack.ingest(0).restart().await;
    eventually("nginx finds ingest again", async || {
        let reply = agent.post_events(json!([agent.connects("after").json()])).await;
        reply.status.is_success().then_some(())
    })
    .await;
}

/// A revocation that was announced while ingest had no connection must not be missed.
#[tokio::test]
async fn a_key_revoked_while_nats_was_away_is_not_believed_afterwards() {
    let stack = Stack::builder().private_servers().start().await;
    let agent = stack.agent("vpn-1");
    agent.connects("before").await;
    stack.servers().nats.stop().await;
    stack
        .database()
        .sql("UPDATE server_api_key SET revoked_at = now()")
        .await;
    stack.servers().nats.start().await;
    // Believed for as long as the news of the new connection takes within ingest, and no longer.
    let refused = eventually("the revoked key to be refused", async || {
        let reply = agent.post_events(json!([agent.connects("after").json()])).await;
        (reply.status == 401).then_some(reply)
    })
    .await;
    assert_problem(&refused, 401, "invalid_api_key");
}

async fn readiness(service: &Process) -> u16 {
    let url = format!("{}/readyz", service.url());
    reqwest::get(url).await.expect("it answers").status().as_u16()
}

fn common_names(list: &Value) -> Vec<String> {
    let sessions = list["sessions"].as_array().expect("a list");
    sessions
        .iter()
        .map(|session| session["common_name"].as_str().expect("a name").to_owned())
        .collect()
}
