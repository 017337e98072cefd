//! Servers that are set up otherwise: other transports, topologies and log-ins, and one that gives no addresses.

use std::fs;

use serde_json::Value;
use test_support::{Stack, eventually};

use super::lab::skipped;
use super::sessions::{ended_exactly, status, the_session};
use super::{Lab, Plan};

/// A client comes, moves data where it can, and goes: one session, with its exact end.
async fn one_session(plan: Plan, client_options: &str, has_address: bool) -> Value {
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-other"]).await;
    let lab = Lab::start_planned(&stack, "vpn-other", plan).await;
    let client = lab.connect_with("nina", client_options).await;
    let session = the_session(&stack, "nina", "active", status("active")).await;
    if has_address {
        lab.ping(&client, 20, 500);
        the_session(&stack, "nina", "counted", |session| {
            session["bytes_in"].as_i64() > Some(10_000)
        })
        .await;
    } else {
        the_session(&stack, "nina", "counted", |session| session["bytes_in"].is_i64()).await;
    }
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "nina", "ended", ended_exactly).await;
    assert_eq!((&ended["id"], &ended["ended_by"]), (&session["id"], &"reported".into()));
    session
}

#[tokio::test]
async fn a_session_over_tcp() {
    if skipped() {
        return;
    }
    let plan = Plan {
        options: "proto tcp-server\nexplicit-exit-notify 0".to_owned(),
        ..Plan::default()
    };
    one_session(plan, "proto tcp-client\nexplicit-exit-notify 0", true).await;
}

#[tokio::test]
async fn a_session_on_a_network_of_pairs() {
    if skipped() {
        return;
    }
    let plan = Plan {
        network: "topology net30\nserver 10.66.0.0 255.255.0.0".to_owned(),
        ..Plan::default()
    };
    assert_eq!(one_session(plan, "", true).await["virtual_ip"], "10.66.0.6");
}

#[tokio::test]
async fn a_session_between_two_points() {
    if skipped() {
        return;
    }
    let plan = Plan {
        network: "topology p2p\nserver 10.66.0.0 255.255.0.0".to_owned(),
        ..Plan::default()
    };
    one_session(plan, "", true).await;
}

/// An Ethernet bridge whose addresses come from elsewhere: the daemon knows none.
#[tokio::test]
async fn a_session_without_an_address() {
    if skipped() {
        return;
    }
    let plan = Plan {
        network: "mode server\ntls-server\ndev tap".to_owned(),
        ..Plan::default()
    };
    let session = one_session(plan, "dev tap", false).await;
    assert!(session["virtual_ip"].is_null());
}

#[tokio::test]
async fn a_session_that_shows_a_token_when_its_keys_are_renewed() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-token"]).await;
    let options = "auth-user-pass-verify /bin/true via-file\nauth-gen-token 3600 120\nreneg-sec 2";
    let lab = Lab::start_registered(&stack, "vpn-token", options).await;
    let login = lab.file("login");
    fs::write(&login, "nina\nlab-secret\n").unwrap();
    let client = lab
        .connect_with("nina", &format!("auth-user-pass {}", login.display()))
        .await;
    let session = the_session(&stack, "nina", "active", status("active")).await;
    eventually("the third keys", async || {
        (lab.server_log().matches("TLS: soft reset").count() >= 2).then_some(())
    })
    .await;
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "nina", "ended", ended_exactly).await;
    assert_eq!(ended["id"], session["id"]);
}
