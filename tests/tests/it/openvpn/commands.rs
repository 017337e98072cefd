//! The portal's kill, carried out by a real daemon.

use serde_json::{Value, json};
use test_support::{Stack, eventually};

use super::Lab;
use super::lab::skipped;
use super::sessions::{ended_exactly, sessions_of, status, the_session};

/// Asks for a session's end as the portal does, and gives the command.
pub(super) async fn terminate(stack: &Stack, session: &Value, deny_seconds: Option<u32>) -> Value {
    let mut body = json!({"session_ids": [session["id"]], "reason": "a story"});
    if let Some(seconds) = deny_seconds {
        body["deny_seconds"] = seconds.into();
    }
    let reply = stack
        .api()
        .post("/api/sessions/terminate", &body)
        .await
        .expect(202)
        .json();
    reply["commands"][0].clone()
}

/// Waits until a command is in one of these states, and gives it.
pub(super) async fn command_in(stack: &Stack, session: &Value, states: &[&str]) -> Value {
    let path = format!("/api/commands?session_id={}", session["id"].as_str().unwrap());
    eventually(&format!("the command to be {states:?}"), async || {
        let list = stack.api().get(&path).await;
        let command = list["commands"][0].clone();
        assert!(
            states.contains(&"failed") || command["state"] != "failed",
            "it failed: {command:#}"
        );
        states.iter().any(|state| command["state"] == *state).then_some(command)
    })
    .await
}

#[tokio::test]
async fn the_portals_kill_ends_a_session_and_tells_of_the_client_that_comes_back() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let _client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    terminate(&stack, &session, None).await;
    let command = command_in(&stack, &session, &["reconnected"]).await;
    for step in ["delivered_at", "accepted_at", "gone_at", "reconnected_at"] {
        assert!(command[step].is_string(), "{step}: {command:#}");
    }
    let sessions = eventually("the killed session to have ended", async || {
        let sessions = sessions_of(&stack, "mallory").await;
        (sessions.len() == 2 && ended_exactly(&sessions[0])).then_some(sessions)
    })
    .await;
    assert_eq!(sessions[0]["id"], session["id"]);
    assert_eq!(sessions[0]["ended_by"], "terminated");
    assert_eq!(sessions[0]["disconnect_reason"], "terminated");
    assert_eq!(sessions[1]["session_status"], "active");
    assert_eq!(command["reconnected_session_id"], sessions[1]["id"]);
}

/// A stack whose agents watch for two seconds whether a VPN user comes back.
pub(super) async fn impatient_stack() -> Stack {
    let builder = Stack::builder().with("ingest", "INGEST_COMMAND_WATCH_SECONDS", "2");
    builder.ingests(2).start().await
}

#[tokio::test]
async fn a_denied_client_stays_out_until_the_denial_is_revoked() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let client = lab.connect("mallory").await;
    let other = lab.connect("alice").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    terminate(&stack, &session, Some(3_600)).await;
    // It comes back at once, is refused, and gives up.
    lab.has_given_up(&client).await;
    command_in(&stack, &session, &["stayed_gone"]).await;
    let (_, said) = lab.agent_says(&["status"]);
    for part in [
        "Denials       1 in force",
        "end the session of mallory: gone, and stayed gone (",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    lab.is_refused(&client).await;
    let sessions = sessions_of(&stack, "mallory").await;
    assert_eq!(sessions.len(), 1, "a refused connect is no session: {sessions:#?}");
    // Nobody else is.
    lab.disconnect(&other).await;
    lab.start_client(&other).await;

    let api = stack.api();
    let shown = json!({"denials": [{"common_name": "mallory", "state": "in_force", "server_instance": "vpn-real"}]});
    let list = api.shows("/api/denials?state=in_force", &shown).await;
    let denial = &list["denials"][0];
    assert!(denial["applied_at"].is_string(), "the agent has it: {denial:#}");
    let path = format!("/api/denials/{}", denial["id"].as_str().unwrap());
    let request = api.request(reqwest::Method::DELETE, &path).await;
    let revoked = test_support::Reply::to(request).await.expect(200).json();
    assert_eq!(revoked["state"], "revoked");
    eventually("the agent to know", async || {
        lab.agent_log().contains("denied=0").then_some(())
    })
    .await;
    lab.start_client(&client).await;
    eventually("the new session of mallory", async || {
        let sessions = sessions_of(&stack, "mallory").await;
        (sessions.len() == 2 && sessions[1]["session_status"] == "active").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_dies_while_it_acts_does_not_act_twice_and_tells_the_end() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    stack.run("auth", &["create-server", "vpn-real"]).await;
    // The daemon stands still for a while: nobody shall take that for a lost connection.
    let lab = Lab::start_registered(&stack, "vpn-real", "keepalive 10 120").await;
    let _client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    // The agent asks a daemon that does not answer, and is killed while it waits.
    lab.signal_server("STOP");
    let command = terminate(&stack, &session, None).await;
    lab.has_in_its_journal(command["id"].as_str().unwrap()).await;
    lab.kill_agent();
    lab.signal_server("CONT");
    lab.start_agent();
    let command = command_in(&stack, &session, &["failed"]).await;
    let failure = command["failure"].as_str().unwrap();
    assert!(failure.contains("does not act twice"), "{failure}");
    the_session(&stack, "mallory", "still active", status("active")).await;
    // It can be asked for again.
    terminate(&stack, &session, None).await;
    command_in(&stack, &session, &["reconnected"]).await;
}

#[tokio::test]
async fn an_end_that_happened_while_the_agent_was_dead_is_told_by_the_next_one() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    stack.run("auth", &["create-server", "vpn-real"]).await;
    let lab = Lab::start_registered(&stack, "vpn-real", "keepalive 10 120").await;
    let client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    lab.signal_server("STOP");
    let command = terminate(&stack, &session, None).await;
    lab.has_in_its_journal(command["id"].as_str().unwrap()).await;
    lab.kill_agent();
    lab.signal_server("CONT");
    lab.disconnect(&client).await;
    lab.start_agent();
    let command = command_in(&stack, &session, &["stayed_gone"]).await;
    assert!(
        command["gone_at"].is_string() && command["accepted_at"].is_null(),
        "{command:#}"
    );
}

#[tokio::test]
async fn a_command_survives_a_restart_of_ingest_under_the_poll() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let _client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    stack.ingest(0).kill();
    terminate(&stack, &session, None).await;
    stack.ingest(0).start();
    stack.ingest(0).ready().await;
    command_in(&stack, &session, &["reconnected"]).await;
}

#[tokio::test]
async fn a_command_that_is_delivered_again_and_by_another_replica_is_carried_out_once() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let _client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    // Another poll of the same agent, at the other replica.
    let other = reqwest::Client::new()
        .get(format!(
            "{}/api/v1/commands?wait_seconds=30&denials_version=",
            stack.ingest(1).url()
        ))
        .bearer_auth(lab.agent_key());
    let (delivered, command) = tokio::join!(test_support::Reply::to(other), terminate(&stack, &session, None));
    assert_eq!(delivered.expect(200).json()["denials"], json!([]));
    let end = command_in(&stack, &session, &["reconnected"]).await;
    // The product forgets what it was told, and hands the command out again.
    let reset = format!(
        "UPDATE session_command SET state = 'requested', reconnected_at = NULL, reconnected_session_id = NULL WHERE id = '{}'",
        command["id"].as_str().unwrap()
    );
    stack.database().sql(&reset).await;
    let again = command_in(&stack, &session, &["reconnected"]).await;
    assert_eq!(again["reconnected_session_id"], end["reconnected_session_id"]);
    let sessions = sessions_of(&stack, "mallory").await;
    assert_eq!(sessions.len(), 2, "the new session is left alone: {sessions:#?}");
    assert_eq!(sessions[1]["session_status"], "active");
}

#[tokio::test]
async fn without_its_hook_the_agent_ends_the_sessions_of_a_denied_client_again() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    stack.run("auth", &["create-server", "vpn-real"]).await;
    // The last script counts: nobody asks the agent's hook.
    let lab = Lab::start_registered(&stack, "vpn-real", "client-connect /bin/true").await;
    let _client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    terminate(&stack, &session, Some(3_600)).await;
    // It does come back, and is thrown out.
    command_in(&stack, &session, &["reconnected"]).await;
    eventually("the second session to be ended by the agent too", async || {
        let sessions = sessions_of(&stack, "mallory").await;
        (sessions.len() > 1 && sessions[1]["ended_by"] == "terminated").then_some(())
    })
    .await;
    assert!(lab.agent_log().contains("may not connect has connected"));
}

#[tokio::test]
async fn an_agent_without_the_management_interface_says_that_it_cannot() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    lab.without_management();
    terminate(&stack, &session, None).await;
    let command = command_in(&stack, &session, &["failed"]).await;
    let failure = command["failure"].as_str().unwrap();
    assert!(failure.contains("management interface"), "{failure}");
    lab.disconnect(&client).await;
    let session = the_session(&stack, "mallory", "ended", ended_exactly).await;
    assert_eq!(session["ended_by"], "reported", "the agent did nothing");
}

#[tokio::test]
async fn two_servers_with_their_agents_are_kept_apart() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let labs = [Lab::start(&stack, "vpn-one").await, Lab::start(&stack, "vpn-two").await];
    for lab in &labs {
        lab.attached().await;
    }
    // The same VPN user, with the same address in both tunnels.
    let clients = [labs[0].connect("alice").await, labs[1].connect("alice").await];
    let both = eventually("both sessions", async || {
        let sessions = sessions_of(&stack, "alice").await;
        (sessions.len() == 2 && sessions.iter().all(status("active"))).then_some(sessions)
    })
    .await;
    assert_eq!(both[0]["virtual_ip"], both[1]["virtual_ip"]);
    assert_ne!(both[0]["server_instance"], both[1]["server_instance"]);
    let of = |server: &str| {
        both.iter()
            .find(|session| session["server_instance"] == server)
            .unwrap()
    };
    terminate(&stack, of("vpn-one"), None).await;
    command_in(&stack, of("vpn-one"), &["reconnected"]).await;
    labs[0].disconnect(&clients[0]).await;
    let ends = eventually("the sessions of the first server to have ended", async || {
        let sessions = sessions_of(&stack, "alice").await;
        let first: Vec<_> = sessions
            .iter()
            .filter(|session| session["server_instance"] == "vpn-one")
            .collect();
        (first.len() == 2 && first.iter().all(|session| ended_exactly(session))).then(|| sessions.clone())
    })
    .await;
    let second: Vec<_> = ends
        .iter()
        .filter(|session| session["server_instance"] == "vpn-two")
        .collect();
    assert_eq!(second.len(), 1, "{ends:#?}");
    assert_eq!(
        (&second[0]["id"], &second[0]["session_status"]),
        (&of("vpn-two")["id"], &"active".into())
    );
}
