use std::time::Duration;

use test_support::{Stack, eventually_within};

#[tokio::test]
async fn what_an_agent_tells_is_seen_in_the_portal_through_nginx() {
    let stack = Stack::builder().nginx().start().await;
    let session = stack.agent("vpn-1").connects("jdoe").at("12:00:00").await;
    stack.agent("vpn-1").disconnects("jdoe").at("12:30:00").await;
    let ended = eventually_within(Duration::from_secs(10), "jdoe's session to end", async || {
        let list = stack.api().get("/api/sessions?search=jdoe").await;
        list["sessions"]
            .as_array()?
            .iter()
            .find(|session| session["session_status"] == "disconnected")
            .cloned()
    })
    .await;
    assert_eq!(ended["id"], session.to_string());
    assert_eq!(ended["disconnected_at"], "2026-02-13T12:30:00.000Z");
}

#[tokio::test]
async fn a_service_that_was_killed_starts_again_with_its_stack() {
    let stack = Stack::start().await;
    stack.agent("vpn-1").connects("jdoe").await;
    stack.ingest(0).kill();
    assert!(!stack.ingest(0).is_running());
    stack.ingest(0).start();
    stack.ingest(0).ready().await;
    stack.agent("vpn-1").disconnects("jdoe").await;
    stack.processor(0).terminate();
    assert!(stack.processor(0).exited().await.success());
}
