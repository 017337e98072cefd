//! Rule 1 through everything: whatever the order, the batches, the duplicates, the connections and the replicas, the portal
//! shows what the pure timeline gives.

use std::collections::BTreeMap;

use domain::timeline::Timeline;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Agent, Reply, Stack, contains, eventually, now};
use uuid::Uuid;

use crate::histories::{History, as_listed};
use crate::live_cache::LiveCache;

/// Connections of each agent, to either replica of ingest.
const LANES: usize = 3;

async fn stack() -> Stack {
    let century = "3155760000";
    let builder = Stack::builder().nginx().ingests(2).processors(2);
    builder
        .with("session-processor", "SESSION_TIMEOUT_SECONDS", century)
        .start()
        .await
}

#[tokio::test]
async fn many_short_histories_equal_the_pure_timeline() {
    converges((0..24).map(|seed| History::draw(seed, 24)).collect()).await;
}

#[tokio::test]
async fn long_histories_equal_the_pure_timeline() {
    converges((100..106).map(|seed| History::draw(seed, 150)).collect()).await;
}

async fn converges(mut histories: Vec<History>) {
    let stack = stack().await;
    told_by_all_agents_at_once(&stack, &mut histories).await;
    let events: usize = histories.iter().map(|history| history.events.len()).sum();
    let all = i64::try_from(events).expect("not that many");
    let stored = "SELECT count(*) FROM vpn_event";
    eventually("all events to be processed", async || {
        (stack.database().count(stored).await == all).then_some(())
    })
    .await;

    let rebuilt = stack.run("session-processor", &["rebuild"]).await;
    assert_eq!(rebuilt.trim(), "0 sessions differ");
    let mut open = Vec::new();
    for history in &histories {
        let expected = history.timeline();
        equals(&stack, history, &expected).await;
        let sessions = expected.sessions.into_values().flatten();
        open.extend(sessions.filter(|session| session.is_open()).map(|session| session.id));
    }
    LiveCache::of(&stack).lists(open).await;
    telling_all_again_changes_nothing(&stack, &histories).await;
}

async fn told_by_all_agents_at_once(stack: &Stack, histories: &mut [History]) {
    let mut lanes = Vec::new();
    for history in histories {
        let agent = agent_of(stack, history);
        let batches = history.batches();
        for lane in 0..LANES {
            let own: Vec<_> = batches.iter().skip(lane).step_by(LANES).cloned().collect();
            let (agent, server) = (agent.clone().through(lane % 2), history.server.clone());
            lanes.push(tokio::spawn(async move {
                for (number, (boot_id, events)) in own.into_iter().enumerate() {
                    // Every other request waits for the processor's counts.
                    post(&agent, &server, boot_id, &events, number % 2 == lane % 2).await;
                }
            }));
        }
    }
    for lane in lanes {
        lane.await.expect("every request is accepted");
    }
}

fn agent_of(stack: &Stack, history: &History) -> Agent {
    let agent = stack.agent(&history.server);
    match history.duplicate_cn {
        true => agent.with_duplicate_cn(),
        false => agent,
    }
}

async fn post(agent: &Agent, server: &str, boot_id: Option<Uuid>, events: &[Value], wait: bool) -> Value {
    let sent_at = domain::time_format::format_millis(now());
    let body = json!({"server_id": server, "sent_at": sent_at, "boot_id": boot_id, "events": events});
    let mut request = agent.request(Method::POST, "/api/v1/events").await.json(&body);
    if !wait {
        request = request.header("prefer", "respond-async");
    }
    let reply = Reply::to(request).await;
    let answer = reply.json();
    assert!(
        reply.status.is_success() && answer["errors"] == json!([]),
        "{server}: {} {answer}",
        reply.status
    );
    answer
}

async fn equals(stack: &Stack, history: &History, expected: &Timeline) {
    let server = &history.server;
    let mut shown = listed(stack, server).await;
    for (name, session) in expected
        .sessions
        .iter()
        .flat_map(|(name, sessions)| sessions.iter().map(move |one| (name, one)))
    {
        let expected = as_listed(server, name, session);
        let shown = shown.remove(&session.id.to_string()).unwrap_or_default();
        assert!(
            contains(&shown, &expected),
            "{server}: {expected:#} expected, but {shown:#}"
        );
    }
    assert!(shown.is_empty(), "{server}: no event gives {shown:#?}");
    let path = format!("/api/events/unmatched?server_instance={server}&per_page=500");
    let waiting = stack.api().get(&path).await;
    let mut waiting: Vec<&str> = waiting["events"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|event| event["event_id"].as_str())
        .collect();
    waiting.sort_unstable();
    let expected: Vec<String> = expected.unmatched.iter().map(Uuid::to_string).collect();
    assert_eq!(waiting, expected, "{server}: events that wait");
}

/// A server's sessions in the portal, by id.
async fn listed(stack: &Stack, server: &str) -> BTreeMap<String, Value> {
    let list = stack
        .api()
        .get(&format!("/api/sessions?server_instance={server}&per_page=500"))
        .await;
    assert_eq!(
        list["pages"].as_u64().filter(|pages| *pages > 1),
        None,
        "one page holds all"
    );
    let sessions = list["sessions"].as_array().expect("a list").iter();
    sessions
        .map(|session| {
            (
                session["id"].as_str().expect("an id").to_owned(),
                without_clock(session),
            )
        })
        .collect()
}

/// Without the one field that changes by itself.
fn without_clock(session: &Value) -> Value {
    let mut session = session.clone();
    session.as_object_mut().expect("a session").remove("duration_seconds");
    session
}

async fn telling_all_again_changes_nothing(stack: &Stack, histories: &[History]) {
    for history in histories {
        let before = listed(stack, &history.server).await;
        for (boot_id, events) in history.once() {
            let answer = post(&agent_of(stack, history), &history.server, boot_id, &events, true).await;
            let duplicates =
                json!({"status": "ok", "sessions_created": 0, "sessions_updated": 0, "duplicates": events.len()});
            assert!(contains(&answer, &duplicates), "{}: {answer}", history.server);
        }
        assert_eq!(listed(stack, &history.server).await, before, "versions too");
    }
}
