//! A full disk: people come in all the same, what cannot be told is said, and what is seen afterwards sets it right.

use std::fs;

use test_support::{Stack, eventually};

use super::lab::skipped;
use super::sessions::{ended_exactly, sessions_of, status, the_session};
use super::{Lab, Plan};

#[tokio::test]
async fn a_full_disk_keeps_nobody_out_and_is_made_up_for_later() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-full"]).await;
    let plan = Plan {
        disk_kib: Some(4_096),
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-full", plan).await;
    let leaves = lab.connect("alice").await;
    let stays = lab.connect("bob").await;
    the_session(&stack, "alice", "active", status("active")).await;
    the_session(&stack, "bob", "active", status("active")).await;

    let filler = lab.file("agent/filler");
    assert!(fs::write(&filler, vec![1; 8 << 20]).is_err(), "the disk is full");
    // Somebody comes, and somebody goes: the hooks cannot tell, and let them.
    lab.connect("carol").await;
    lab.disconnect(&leaves).await;
    eventually("the hooks to say what is lost", async || {
        (lab.server_log().matches("what the daemon told is lost").count() >= 2).then_some(())
    })
    .await;
    // The agent says why it ends, and its unit starts it again and again.
    lab.agent_has_given_up().await;
    assert!(
        lab.agent_log().contains("No space left on device"),
        "{}",
        lab.agent_log()
    );
    let names = fs::read_dir(lab.file("agent/hooks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name != "denials.json").collect();
    assert!(left.is_empty(), "nothing half-done stays behind: {left:?}");

    fs::remove_file(filler).unwrap();
    lab.start_agent();
    the_session(&stack, "carol", "active", status("active")).await;
    the_session(&stack, "alice", "ended", status("disconnected")).await;
    the_session(&stack, "bob", "still active", status("active")).await;
    lab.disconnect(&stays).await;
    the_session(&stack, "bob", "ended", ended_exactly).await;
    assert_eq!(sessions_of(&stack, "carol").await.len(), 1);
}
