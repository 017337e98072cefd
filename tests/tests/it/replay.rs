//! What real OpenVPN daemons did, as recorded, replayed by the simulator's agents: the portal shows the sessions that the
//! daemons' own end scripts state.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use test_support::{Stack, contains, run_binary};

/// Events of one request of ours.
const BATCH: usize = 200;

fn recordings() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/openvpn")
        .display()
        .to_string()
}

async fn simulator(arguments: &[&str], environment: &[(String, String)]) -> String {
    let recordings = recordings();
    let arguments: Vec<&str> = ["replay"]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain([recordings.as_str()])
        .collect();
    run_binary("fleet-simulator", &arguments, environment).await
}

async fn stack() -> Stack {
    let century = "3155760000";
    Stack::builder()
        .nginx()
        .with("session-processor", "SESSION_TIMEOUT_SECONDS", century)
        .start()
        .await
}

/// Registers each recorded server and replays all recordings; gives the servers' names.
async fn replayed(stack: &Stack) -> Vec<String> {
    let (mut servers, mut keys) = (Vec::new(), Vec::new());
    for line in simulator(&["--servers"], &[]).await.lines() {
        let (name, option) = line.split_once('\t').unwrap_or((line, ""));
        let agent = match option {
            "duplicate-cn" => stack.agent(name).with_duplicate_cn(),
            _ => stack.agent(name),
        };
        keys.push(format!("{name}={}", agent.key().await));
        servers.push(name.to_owned());
    }
    let keys = [("SIMULATOR_KEYS".to_owned(), keys.join(","))];
    let told = simulator(&["--base-url", stack.url()], &keys).await;
    assert_eq!(told.lines().count(), servers.len(), "{told}");
    servers
}

/// JSON objects, one a line.
async fn lines(what: &str) -> Vec<Value> {
    let printed = simulator(&[what], &[]).await;
    printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

/// Every session of a server, oldest first.
async fn sessions(stack: &Stack, server: &str) -> Vec<Value> {
    let list = stack
        .api()
        .get(&format!(
            "/api/sessions?server_instance={server}&sort=connected_at&per_page=500"
        ))
        .await;
    list["sessions"].as_array().expect("a list").clone()
}

async fn all_events_are_processed(stack: &Stack) -> i64 {
    let events = i64::try_from(lines("--print").await.len()).expect("not that many");
    test_support::eventually("all recorded events to be processed", async || {
        (stack.database().count("SELECT count(*) FROM vpn_event").await == events).then_some(())
    })
    .await;
    events
}

#[tokio::test]
async fn the_portal_shows_what_the_daemons_end_scripts_state() {
    let stack = stack().await;
    let servers = replayed(&stack).await;
    all_events_are_processed(&stack).await;
    let mut shown = BTreeMap::new();
    for server in &servers {
        shown.insert(server.clone(), sessions(&stack, server).await);
    }
    let stated = lines("--expected").await;
    assert_eq!(stated.len(), 12, "the end scripts of all recordings");
    for mut expected in stated {
        expected["session_status"] = json!("disconnected");
        expected["ended_by"] = json!("reported");
        expected["bytes_source"] = json!("final");
        let server = expected["server_instance"].as_str().expect("a name").to_owned();
        let found = shown[&server]
            .iter()
            .filter(|session| contains(session, &expected))
            .count();
        assert_eq!(found, 1, "{expected:#} is not among {:#?}", shown[&server]);
    }
    assert_eq!(stack.api().get("/api/events/rejected").await["total"], 0);
    assert_eq!(stack.api().get("/api/events/unmatched").await["total"], 0);
    let rebuilt = stack.run("session-processor", &["rebuild"]).await;
    assert_eq!(rebuilt.trim(), "0 sessions differ");
}

#[tokio::test]
async fn one_session_of_them_to_the_letter() {
    let stack = stack().await;
    replayed(&stack).await;
    all_events_are_processed(&stack).await;
    // a-no-client-auth/script-env/007-client-disconnect-jdoe@company.com.env
    let jdoe = json!({
        "common_name": "jdoe@company.com", "server_instance": "rec-a", "real_ip": "198.18.0.11", "real_port": 33_360,
        "virtual_ip": "10.66.0.2", "virtual_ip6": "fd42:66::1000", "connected_at": "2026-11-21T22:35:57.000Z",
        "disconnected_at": "2026-11-21T22:36:43.000Z", "duration_seconds": 46, "bytes_in": 53_420, "bytes_out": 53_375,
        "session_status": "disconnected", "ended_by": "reported",
    });
    let shown = sessions(&stack, "rec-a").await;
    assert!(contains(&shown[0], &jdoe) || contains(&shown[1], &jdoe), "{shown:#?}");
    let held = stack
        .api()
        .get("/api/identity?ip=10.66.0.2&at=2026-11-21T22:36:20Z")
        .await;
    assert_eq!(held["answer"], "certain");
    assert_eq!(held["holders"][0]["session"]["common_name"], "jdoe@company.com");
}

#[tokio::test]
async fn replaying_again_gives_duplicates_only_and_changes_nothing() {
    let stack = stack().await;
    let servers = replayed(&stack).await;
    let events = all_events_are_processed(&stack).await;
    let mut before = Vec::new();
    for server in &servers {
        before.push(sessions(&stack, server).await);
    }

    let mut requests: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
    for line in lines("--print").await {
        let text = |name: &str| line[name].as_str().expect("a text").to_owned();
        requests
            .entry((text("server_id"), text("boot_id")))
            .or_default()
            .push(line.clone());
    }
    let mut duplicates = 0;
    for ((server, boot_id), events) in requests {
        let agent = stack.agent(&server);
        agent.boots(boot_id.parse().expect("a UUID"));
        for batch in events.chunks(BATCH) {
            let answer = agent.post_events(json!(batch)).await.expect(200).json();
            assert!(
                contains(&answer, &json!({"sessions_created": 0, "sessions_updated": 0})),
                "{answer}"
            );
            duplicates += answer["duplicates"].as_i64().expect("a count");
        }
    }
    assert_eq!(duplicates, events);
    for (server, before) in servers.iter().zip(before) {
        assert_eq!(
            without_clock(sessions(&stack, server).await),
            without_clock(before),
            "{server}"
        );
    }
}

/// Without the one field that changes by itself.
fn without_clock(mut sessions: Vec<Value>) -> Vec<Value> {
    for session in &mut sessions {
        session.as_object_mut().expect("a session").remove("duration_seconds");
    }
    sessions
}
