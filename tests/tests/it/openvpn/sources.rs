//! Each source alone gives the sessions that it can know, and one that is missing does not stop the others.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixStream;

use serde_json::Value;
use test_support::{Stack, eventually, shared_servers, test_namespace};

use super::lab::skipped;
use super::sessions::{status, the_session};
use super::{Lab, Plan};

/// A client comes, moves data and goes, and the agent has these sources only.
async fn one_session(hooks: bool, sources: &str) -> Value {
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-alone"]).await;
    let plan = Plan {
        hooks,
        sources: sources.to_owned(),
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-alone", plan).await;
    let client = lab.connect("laura").await;
    let session = the_session(&stack, "laura", "active", status("active")).await;
    assert_eq!(session["virtual_ip"], "10.66.0.2");
    assert_eq!(session["real_ip"], "198.18.1.10");
    lab.ping(&client, 30, 500);
    if !sources.is_empty() {
        the_session(&stack, "laura", "counted", |session| {
            session["bytes_in"].as_i64() > Some(15_000)
        })
        .await;
    }
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "laura", "ended", status("disconnected")).await;
    assert_eq!(ended["id"], session["id"]);
    assert!(ended["bytes_in"].as_i64() > Some(15_000), "{ended:#?}");
    ended
}

#[tokio::test]
async fn hooks_alone_tell_everything_about_the_end() {
    if skipped() {
        return;
    }
    let ended = one_session(true, "").await;
    assert_eq!(
        (&ended["ended_by"], &ended["bytes_source"]),
        (&"reported".into(), &"final".into())
    );
}

#[tokio::test]
async fn the_management_interface_alone_tells_of_ends_with_the_last_counters() {
    if skipped() {
        return;
    }
    let ended = one_session(false, "management = \"unix:{folder}/m.sock\"").await;
    assert_eq!(
        (&ended["ended_by"], &ended["bytes_source"]),
        (&"reported".into(), &"last_poll".into())
    );
}

#[tokio::test]
async fn a_status_file_alone_tells_that_a_session_is_gone() {
    if skipped() {
        return;
    }
    let ended = one_session(false, "status_file = \"{folder}/status.log\"").await;
    assert_eq!(ended["ended_by"], "reconciled", "{ended:#?}");
}

#[tokio::test]
async fn while_another_tool_holds_the_interface_the_other_sources_go_on() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-busy"]).await;
    let plan = Plan {
        agent: false,
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-busy", plan).await;
    let mut tool = UnixStream::connect(lab.file("m.sock")).unwrap();
    let mut banner = [0; 6];
    tool.read_exact(&mut banner).unwrap();
    assert_eq!(&banner, b">INFO:");
    lab.start_agent();
    eventually("the agent to have noticed", async || {
        lab.agent_log().contains("another client is attached").then_some(())
    })
    .await;
    let client = lab.connect("mallory").await;
    let session = the_session(&stack, "mallory", "active", status("active")).await;
    drop(tool);
    lab.attached().await;
    assert_eq!(
        lab.agent_log().matches("another client is attached").count(),
        1,
        "said once"
    );
    // What nobody else can tell while it lasts.
    lab.ping(&client, 20, 500);
    the_session(&stack, "mallory", "counted", |session| {
        session["bytes_in"].as_i64() > Some(10_000)
    })
    .await;
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "mallory", "ended", status("disconnected")).await;
    assert_eq!(ended["id"], session["id"]);
}

#[tokio::test]
async fn a_management_interface_with_a_password_is_used_with_it_and_not_without() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-password"]).await;
    let password = shared_servers()
        .directory
        .join(format!("password-{}", test_namespace()));
    fs::write(&password, "lab-management-password\n").unwrap();
    let password = password.display();
    let plan = Plan {
        options: format!("management {password}.sock unix {password}"),
        sources: format!("management = \"unix:{password}.sock\"\nmanagement_password_file = \"{password}\""),
        hooks: false,
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-password", plan).await;
    lab.attached().await;
    lab.kill_agent();
    fs::write(password.to_string(), "a guess\n").unwrap();
    let (good, said) = lab.agent_says(&["check", "--openvpn-config", lab.file("server.conf").to_str().unwrap()]);
    assert!(!good && said.contains("refuses the password"), "{said}");
    lab.start_agent();
    eventually("the agent to say what is wrong", async || {
        lab.agent_log().contains("refuses the password").then_some(())
    })
    .await;
    assert!(!lab.agent_log().contains("lab-management-password"));
}
