//! Why sessions end, as the daemon says it.

use serde_json::Value;
use test_support::{Stack, eventually};

use super::lab::skipped;
use super::sessions::{sessions_of, status, the_session};
use super::{Lab, Plan};

/// How it ended: by whom it is known, and why it was.
fn end(session: &Value) -> (&str, Option<&str>) {
    let ended_by = session["ended_by"].as_str().expect("it has ended");
    (ended_by, session["disconnect_reason"].as_str())
}

#[tokio::test]
async fn each_end_says_why() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    lab.attached().await;
    let leaves = lab.connect("leaves").await;
    let dies = lab.connect("dies").await;
    let first = lab.connect("shared").await;
    let stays = lab.connect("stays").await;
    for name in ["leaves", "dies", "shared", "stays"] {
        the_session(&stack, name, "active", status("active")).await;
    }

    lab.disconnect(&leaves).await;
    lab.kill_client(&dies);
    // The same certificate from elsewhere.
    lab.connect("shared").await;
    let taken_over = eventually("the first to be taken over", async || {
        let sessions = sessions_of(&stack, "shared").await;
        sessions.into_iter().find(|session| session["bytes_source"] == "final")
    })
    .await;
    lab.kill_client(&first);
    assert_eq!(end(&taken_over), ("reported", None), "the daemon does not say why");
    let left = the_session(&stack, "leaves", "ended", |session| session["bytes_source"] == "final").await;
    assert_eq!(end(&left), ("reported", Some(lab.reason_of_leaving())));
    let died = the_session(&stack, "dies", "ended", |session| session["bytes_source"] == "final").await;
    assert_eq!(end(&died), ("reported", Some("ping-restart")));

    lab.kill_server();
    lab.kill_client(&stays);
    lab.start_server().await;
    let lost = the_session(&stack, "stays", "ended", status("disconnected")).await;
    assert_eq!(end(&lost), ("server_restart", None));
}

#[tokio::test]
async fn without_hooks_the_log_says_why() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-real"]).await;
    let plan = Plan {
        hooks: false,
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-real", plan).await;
    lab.attached().await;
    let leaves = lab.connect("leaves").await;
    let dies = lab.connect("dies").await;
    for name in ["leaves", "dies"] {
        the_session(&stack, name, "active", status("active")).await;
    }
    lab.disconnect(&leaves).await;
    lab.kill_client(&dies);
    let left = the_session(&stack, "leaves", "ended", |session| session["ended_by"] == "reported").await;
    assert_eq!(end(&left), ("reported", Some(lab.reason_of_leaving())));
    let died = the_session(&stack, "dies", "ended", |session| session["ended_by"] == "reported").await;
    assert_eq!(end(&died), ("reported", Some("ping-restart")));
}
