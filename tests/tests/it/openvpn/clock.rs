//! The host's clock is set while sessions last. libfaketime moves it for the daemon and the agent; the product's stays.

use std::path::Path;

use test_support::{Stack, eventually};

use super::lab::skipped;
use super::sessions::{status, the_session};
use super::{Lab, Plan};

pub(super) fn library() -> std::path::PathBuf {
    let folder = format!(
        "/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1",
        std::env::consts::ARCH
    );
    assert!(
        Path::new(&folder).exists(),
        "libfaketime is missing: install Debian's package of that name, or set SKIP_OPENVPN=1"
    );
    folder.into()
}

#[tokio::test]
async fn a_clock_that_is_set_neither_ends_nor_doubles_a_session() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-clock"]).await;
    let plan = Plan {
        // A daemon whose clock jumps takes its clients for dead when they have been silent for so long.
        options: "keepalive 10 2000".to_owned(),
        clock: Some(library()),
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-clock", plan).await;
    let before = lab.connect("paul").await;
    let paul = the_session(&stack, "paul", "active", status("active")).await;

    lab.set_clock("+600");
    eventually("the product to know of the skew", async || {
        let servers = stack.api().get("/api/servers").await;
        (servers["servers"][0]["clock_is_skewed"] == true).then_some(())
    })
    .await;
    let after = lab.connect("quentin").await;
    the_session(&stack, "quentin", "active", status("active")).await;
    lab.ping(&before, 20, 500);
    let counted = the_session(&stack, "paul", "counted", |session| {
        session["bytes_in"].as_i64() > Some(10_000)
    })
    .await;
    assert_eq!(
        (&counted["id"], &counted["session_status"]),
        (&paul["id"], &"active".into())
    );

    lab.set_clock("-600");
    let (well, said) = lab.agent_says(&["status"]);
    assert!(well, "{said}");
    lab.disconnect(&after).await;
    lab.disconnect(&before).await;
    for name in ["paul", "quentin"] {
        let ended = the_session(&stack, name, "ended", status("disconnected")).await;
        assert!(ended["duration_seconds"].as_i64() >= Some(0), "{ended:#?}");
    }
    eventually("the agent to tell of the skew", async || {
        lab.agent_says(&["status"]).1.contains("set the clock").then_some(())
    })
    .await;
}
