//! The simulated fleet of `make run`: what a newcomer presses in the portal has an effect there.

use serde_json::{Value, json};
use test_support::{Process, Stack, eventually};

async fn impatient_stack() -> Stack {
    let builder = Stack::builder().with("ingest", "INGEST_COMMAND_WATCH_SECONDS", "2");
    builder.start().await
}

/// One VPN server of the fleet, and whether its clients come back when their session was ended.
async fn fleet(stack: &Stack, returns: &str) -> Process {
    let key = format!("vpn-demo={}", stack.agent("vpn-demo").key().await);
    let url = stack.ingest(0).url();
    let arguments = [
        "demo",
        "--base-url",
        &url,
        "--history-hours",
        "3",
        "--sample-seconds",
        "600",
        "--returns",
        returns,
    ];
    let fleet = Process::spawn("fleet-simulator", &arguments, &[("SIMULATOR_KEYS".to_owned(), key)]);
    // Sessions of its past may be over by now: it asks for commands when it has told all of that.
    eventually("the fleet to be in the present", async || {
        let metrics = reqwest::get(format!("{url}/metrics")).await.ok()?.text().await.ok()?;
        metrics.contains("ingest_command_polls 1").then_some(())
    })
    .await;
    fleet
}

/// Asks for the end of three sessions, so that it does not matter when one of them ends by itself meanwhile.
async fn terminate_three(stack: &Stack, deny_seconds: Option<u32>) {
    let path = "/api/sessions?status=active&sort=connected_at&per_page=3";
    let sessions = eventually("three active sessions", async || {
        let list = stack.api().get(path).await;
        let sessions = list["sessions"].as_array().cloned().unwrap_or_default();
        (sessions.len() == 3).then_some(sessions)
    })
    .await;
    let ids: Vec<&Value> = sessions.iter().map(|session| &session["id"]).collect();
    let mut body = json!({"session_ids": ids, "reason": "a story"});
    if let Some(seconds) = deny_seconds {
        body["deny_seconds"] = seconds.into();
    }
    stack.api().post("/api/sessions/terminate", &body).await.expect(202);
}

/// Waits until a command is in this state, and gives it and its session.
async fn command_in(stack: &Stack, state: &str) -> (Value, Value) {
    let command = eventually(&format!("a command that is {state}"), async || {
        let list = stack.api().get(&format!("/api/commands?state={state}")).await;
        list["commands"].get(0).cloned()
    })
    .await;
    for step in ["delivered_at", "accepted_at", "gone_at"] {
        assert!(command[step].is_string(), "{step}: {command:#}");
    }
    let path = format!("/api/sessions/{}", command["session_id"].as_str().expect("an id"));
    let ended = json!({"session_status": "disconnected", "ended_by": "terminated", "disconnect_reason": "terminated"});
    let session = stack.api().shows(&path, &ended).await;
    (command, session)
}

#[tokio::test]
async fn a_terminated_session_of_the_fleet_ends_and_its_client_comes_back_as_clients_do() {
    let stack = Stack::start().await;
    let _fleet = fleet(&stack, "1").await;
    terminate_three(&stack, None).await;
    let (command, session) = command_in(&stack, "reconnected").await;
    let path = format!(
        "/api/sessions/{}",
        command["reconnected_session_id"].as_str().expect("an id")
    );
    let new = json!({"common_name": session["common_name"]});
    stack.api().shows(&path, &new).await;
}

#[tokio::test]
async fn a_vpn_user_of_the_fleet_who_is_denied_stays_out() {
    let stack = impatient_stack().await;
    let _fleet = fleet(&stack, "1").await;
    terminate_three(&stack, Some(3_600)).await;
    let (_, session) = command_in(&stack, "stayed_gone").await;
    let denials = stack.api().get("/api/denials?state=in_force").await;
    let of_session = |denial: &&Value| denial["common_name"] == session["common_name"];
    let denial = denials["denials"].as_array().into_iter().flatten().find(of_session);
    let denial = denial.expect("the denial is listed");
    assert!(denial["applied_at"].is_string(), "the VPN server has it: {denial:#}");
}
