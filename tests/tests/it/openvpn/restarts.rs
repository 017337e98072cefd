//! The daemon's life and the client's keys begin anew, and sessions stay what they are.

use test_support::{Stack, eventually};

use super::lab::skipped;
use super::sessions::{ended_exactly, sessions_of, status, the_session};
use super::{Lab, Plan};

#[tokio::test]
async fn new_keys_for_a_session_are_no_new_session() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-keys"]).await;
    let lab = Lab::start_registered(&stack, "vpn-keys", "reneg-sec 2").await;
    let client = lab.connect("grace").await;
    let first = the_session(&stack, "grace", "active", status("active")).await;
    eventually("the third keys", async || {
        (lab.server_log().matches("TLS: soft reset").count() >= 2).then_some(())
    })
    .await;
    lab.ping(&client, 20, 500);
    let counted = the_session(&stack, "grace", "counted", |session| {
        session["bytes_in"].as_i64() > Some(10_000)
    })
    .await;
    assert_eq!(counted["id"], first["id"]);
    assert_eq!(counted["session_status"], "active");
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "grace", "ended", ended_exactly).await;
    assert_eq!(ended["id"], first["id"]);
}

/// Client ids begin at 0 again, in the same process and on the same management connection.
async fn a_restart_ends_sessions_and_begins_others(signal: &str) {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let client = lab.connect("heidi").await;
    the_session(&stack, "heidi", "active", status("active")).await;
    lab.restart_server_by(signal).await;
    // The daemon tells its clients, which come back by themselves; to those before 2.6 before it is gone, and once more afterwards.
    let came_back = eventually("heidi's new session", async || {
        let sessions = sessions_of(&stack, "heidi").await;
        let (last, before) = sessions.split_last()?;
        let is_last = sessions.len() > 1 && sessions.len() == lab.times_connected(&client);
        let is_new = status("active")(last) && before.iter().all(status("disconnected"));
        (is_last && is_new).then_some(sessions.len())
    })
    .await;
    lab.disconnect(&client).await;
    let sessions = eventually("all to have ended", async || {
        Some(sessions_of(&stack, "heidi").await).filter(|sessions| sessions.last().is_some_and(ended_exactly))
    })
    .await;
    assert_eq!(sessions.len(), came_back, "{sessions:#?}");
    let servers = stack.api().get("/api/servers").await;
    assert_eq!(servers["servers"][0]["gaps"]["missing_events"], 0, "{servers:?}");
}

#[tokio::test]
async fn a_daemon_that_restarts_itself_softly_begins_new_sessions() {
    a_restart_ends_sessions_and_begins_others("USR1").await;
}

#[tokio::test]
async fn a_daemon_that_reads_its_configuration_again_begins_new_sessions() {
    a_restart_ends_sessions_and_begins_others("HUP").await;
}

#[tokio::test]
async fn a_daemon_that_waits_for_it_is_released_each_time() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-hold"]).await;
    let plan = Plan {
        options: "management-hold".to_owned(),
        sources: format!("{}\nrelease_hold = true", Plan::default().sources),
        ..Plan::default()
    };
    // That it comes up at all is the agent's work.
    let lab = Lab::start_planned(&stack, "vpn-hold", plan).await;
    let client = lab.connect("ivan").await;
    the_session(&stack, "ivan", "active", status("active")).await;
    lab.disconnect(&client).await;
    the_session(&stack, "ivan", "ended", status("disconnected")).await;
    lab.restart_server_by("HUP").await;
    assert_eq!(lab.agent_log().matches("waited for `hold release`").count(), 2);
}
