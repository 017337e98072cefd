//! Sessions of real clients, as the product tells them.

use serde_json::Value;
use test_support::{Stack, eventually, now};

use super::Lab;
use super::lab::skipped;

/// The sessions of a common name, the oldest first.
pub(super) async fn sessions_of(stack: &Stack, common_name: &str) -> Vec<Value> {
    let api = stack.api();
    let list = api
        .get(&format!(
            "/api/sessions?search={}&sort=connected_at",
            common_name.replace(' ', "%20")
        ))
        .await;
    list["sessions"].as_array().cloned().unwrap_or_default()
}

/// Waits until the only session of a common name is as wanted, and gives it.
pub(super) async fn the_session(
    stack: &Stack,
    common_name: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    eventually(&format!("the session of {common_name} to be {what}"), async || {
        let sessions = sessions_of(stack, common_name).await;
        assert!(sessions.len() < 2, "{common_name} has one session: {sessions:#?}");
        sessions.into_iter().next().filter(|session| wanted(session))
    })
    .await
}

pub(super) fn status(wanted: &str) -> impl Fn(&Value) -> bool {
    move |session| session["session_status"] == wanted
}

/// Ended, as its hook has told: a list that is told a moment before says only that it is gone.
pub(super) fn ended_exactly(session: &Value) -> bool {
    status("disconnected")(session) && session["bytes_source"] == "final"
}

#[tokio::test]
async fn a_client_connects_moves_data_floats_and_leaves() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let client = lab.connect("Jürgen Müller").await;
    let session = the_session(&stack, "Jürgen Müller", "active", status("active")).await;
    assert_eq!(session["virtual_ip"], "10.66.0.2");
    assert_eq!(session["real_ip"], "198.18.1.10");
    assert_eq!(session["client"]["platform"], "linux");

    lab.ping(&client, 50, 1_000);
    the_session(&stack, "Jürgen Müller", "counted", |session| {
        session["bytes_in"].as_i64() > Some(50_000)
    })
    .await;

    // What only its lists tell; before 2.5 not even those.
    if !lab.server_log().contains("OpenVPN 2.4") {
        the_session(&stack, "Jürgen Müller", "known with its cipher", |session| {
            session["cipher"] == "AES-256-GCM"
        })
        .await;
    }

    lab.move_client(&client, "198.18.9.9");
    lab.ping(&client, 20, 100);
    the_session(&stack, "Jürgen Müller", "at its new address", |session| {
        session["real_ip"] == "198.18.9.9"
    })
    .await;

    lab.disconnect(&client).await;
    let session = the_session(&stack, "Jürgen Müller", "ended", ended_exactly).await;
    assert_eq!(session["ended_by"], "reported");
    assert!(session["bytes_in"].as_i64() > Some(50_000));
}

#[tokio::test]
async fn a_client_that_dies_ends_when_the_daemon_misses_it() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let client = lab.connect("alice").await;
    the_session(&stack, "alice", "active", status("active")).await;
    lab.kill_client(&client);
    let session = the_session(&stack, "alice", "ended", ended_exactly).await;
    assert_eq!(session["ended_by"], "reported");
}

#[tokio::test]
async fn a_daemon_that_dies_ends_its_sessions_and_a_new_one_begins_others() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let client = lab.connect("bob").await;
    the_session(&stack, "bob", "active", status("active")).await;
    lab.kill_server();
    lab.kill_client(&client);
    // The daemon tells its start in whole seconds: two lives within one second cannot be told apart by them.
    let killed_at = now();
    eventually("another second to have begun", async || {
        (now().unix_timestamp() > killed_at.unix_timestamp() + 1).then_some(())
    })
    .await;
    lab.start_server().await;
    the_session(&stack, "bob", "ended by the new boot", |session| {
        session["ended_by"] == "server_restart"
    })
    .await;
    lab.start_client(&client).await;
    let sessions = eventually("the second session of bob", async || {
        Some(sessions_of(&stack, "bob").await).filter(|sessions| sessions.len() == 2)
    })
    .await;
    assert_eq!(sessions[0]["session_status"], "disconnected", "{sessions:#?}");
    assert_eq!(sessions[1]["session_status"], "active", "{sessions:#?}");
}

#[tokio::test]
async fn an_agent_that_dies_forgets_nothing_and_tells_nothing_twice() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let stays = lab.connect("carol").await;
    the_session(&stack, "carol", "active", status("active")).await;
    lab.kill_agent();
    // Both happen while nobody but the hooks listens.
    let comes_and_goes = lab.connect("dave").await;
    lab.disconnect(&comes_and_goes).await;
    lab.start_agent();
    the_session(&stack, "dave", "ended", ended_exactly).await;
    the_session(&stack, "carol", "still active", status("active")).await;
    lab.disconnect(&stays).await;
    the_session(&stack, "carol", "ended", status("disconnected")).await;
    let servers = stack.api().get("/api/servers").await;
    assert_eq!(servers["servers"][0]["gaps"]["missing_events"], 0, "{servers:?}");
}

#[tokio::test]
async fn two_clients_of_one_name_are_two_sessions_where_the_server_allows_it() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack
        .run("auth", &["create-server", "vpn-shared", "--duplicate-cn"])
        .await;
    let lab = Lab::start_registered(&stack, "vpn-shared", "duplicate-cn").await;
    let one = lab.connect("team").await;
    let two = lab.connect("team").await;
    eventually("two sessions of one name", async || {
        let sessions = sessions_of(&stack, "team").await;
        (sessions.len() == 2 && sessions.iter().all(|session| session["session_status"] == "active")).then_some(())
    })
    .await;
    lab.disconnect(&one).await;
    eventually("one of them to have ended", async || {
        let sessions = sessions_of(&stack, "team").await;
        let active = sessions
            .iter()
            .filter(|session| session["session_status"] == "active")
            .count();
        (active == 1).then_some(())
    })
    .await;
    lab.disconnect(&two).await;
    eventually("both to have ended", async || {
        let sessions = sessions_of(&stack, "team").await;
        (sessions.len() == 2
            && sessions
                .iter()
                .all(|session| session["session_status"] == "disconnected"))
        .then_some(())
    })
    .await;
}

#[tokio::test]
async fn fifty_clients_that_come_and_go_are_fifty_sessions() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    for round in 0..5 {
        let mut clients = Vec::new();
        for number in 0..10 {
            clients.push(lab.connect(&format!("churn-{round}-{number}")).await);
        }
        for (number, client) in clients.iter().enumerate() {
            match number % 3 {
                0 => lab.kill_client(client),
                _ => lab.disconnect(client).await,
            }
        }
    }
    eventually("fifty sessions that have ended", async || {
        let list = stack.api().get("/api/sessions?search=churn-&per_page=200").await;
        let sessions = list["sessions"].as_array().cloned().unwrap_or_default();
        assert!(sessions.len() <= 50, "no session is told twice");
        (sessions.iter().filter(|session| ended_exactly(session)).count() == 50).then_some(())
    })
    .await;
}
