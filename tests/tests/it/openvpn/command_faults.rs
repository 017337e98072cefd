//! Commands and denials while something else goes wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use test_support::{eventually, now, shared_servers, test_namespace};

use super::clock::library;
use super::commands::{command_in, impatient_stack, terminate};
use super::lab::skipped;
use super::sessions::{sessions_of, status, the_session};
use super::{Lab, Plan};

const STEPS: [&str; 6] = ["taken", "accepted", "gone", "stayed_gone", "reconnected", "failed"];

#[tokio::test]
async fn an_agent_that_is_killed_at_any_step_acts_once_and_tells_the_end() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    for (step, name) in ["taken", "accepted", "gone"].iter().enumerate() {
        lab.connect(name).await;
        let session = the_session(&stack, name, "active", status("active")).await;
        let command = terminate(&stack, &session, None).await;
        lab.has_come_to(command["id"].as_str().unwrap(), &STEPS[step..]).await;
        lab.kill_agent();
        lab.start_agent();
        let command = command_in(&stack, &session, &["stayed_gone", "reconnected", "failed"]).await;
        if command["state"] == "failed" {
            let failure = command["failure"].as_str().unwrap();
            assert!(failure.contains("does not act twice"), "{failure}");
            the_session(&stack, name, "untouched", status("active")).await;
            continue;
        }
        // It came back once, and is left alone.
        let sessions = eventually("the client to be back", async || {
            Some(sessions_of(&stack, name).await)
                .filter(|sessions| sessions.len() == 2 && sessions[1]["session_status"] == "active")
        })
        .await;
        assert_eq!(
            (&sessions[0]["id"], &sessions[0]["session_status"]),
            (&session["id"], &"disconnected".into())
        );
    }
}

/// `duplicate-cn`: a refused client is logged by the name of the session that its VPN user still has.
#[tokio::test]
async fn a_client_that_is_denied_does_not_end_the_session_that_was_there_before() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    stack
        .run("auth", &["create-server", "vpn-shared", "--duplicate-cn"])
        .await;
    let lab = Lab::start_registered(&stack, "vpn-shared", "duplicate-cn").await;
    let one = lab.connect("team").await;
    let _other = lab.connect("team").await;
    let sessions = eventually("two sessions of one name", async || {
        Some(sessions_of(&stack, "team").await)
            .filter(|sessions| sessions.len() == 2 && sessions.iter().all(status("active")))
    })
    .await;
    // Both may have begun within one second.
    let first = sessions.iter().find(|session| session["real_ip"] == "198.18.1.10");
    let first = first.expect("the first client's");
    terminate(&stack, first, Some(3_600)).await;
    lab.has_given_up(&one).await;
    command_in(&stack, first, &["stayed_gone"]).await;
    lab.is_refused(&one).await;
    // For longer than an end that was logged waits for its hook.
    let refused_at = now();
    eventually("the other session to outlast it", async || {
        let sessions = sessions_of(&stack, "team").await;
        let active = sessions.iter().filter(|session| session["session_status"] == "active");
        assert_eq!((sessions.len(), active.count()), (2, 1), "{sessions:#?}");
        (now() - refused_at > std::time::Duration::from_secs(13)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_denial_lasts_whatever_the_hosts_clock_says() {
    if skipped() {
        return;
    }
    let stack = impatient_stack().await;
    stack.run("auth", &["create-server", "vpn-clock"]).await;
    // What the daemon's clock shows is not in the environment of its scripts.
    let hook = shared_servers().directory.join(format!("hook-{}", test_namespace()));
    let lines = [
        "#!/bin/sh".to_owned(),
        "export FAKETIME_TIMESTAMP_FILE=\"$1/clock\" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        format!("export LD_PRELOAD={}", library().display()),
        format!(
            "exec {} hook --state-dir \"$1/agent\"",
            shared_servers().binaries.join("agent").display()
        ),
    ];
    fs::write(&hook, lines.join("\n")).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let plan = Plan {
        options: format!("keepalive 10 9000\nclient-connect \"{} {{folder}}\"", hook.display()),
        clock: Some(library()),
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-clock", plan).await;
    // Not behind the certificates' begin, wherever it goes.
    lab.set_clock("+7200");
    let client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    terminate(&stack, &session, Some(3_600)).await;
    lab.has_given_up(&client).await;
    command_in(&stack, &session, &["stayed_gone"]).await;
    for clock in ["+14400", "+0"] {
        lab.set_clock(clock);
        lab.is_refused(&client).await;
    }
    assert_eq!(sessions_of(&stack, "mallory").await.len(), 1);
}
