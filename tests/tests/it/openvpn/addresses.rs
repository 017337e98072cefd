//! IPv6, outside and inside the tunnel.

use test_support::Stack;

use super::lab::skipped;
use super::sessions::{ended_exactly, status, the_session};
use super::{Lab, Plan};

#[tokio::test]
async fn ipv6_outside_and_inside_is_told() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-six"]).await;
    let plan = Plan {
        network: "topology subnet\nserver 10.66.0.0 255.255.0.0\nserver-ipv6 fd42:66::/64".to_owned(),
        ipv6: true,
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-six", plan).await;
    let client = lab.connect("judy").await;
    let session = the_session(&stack, "judy", "active", status("active")).await;
    assert_eq!(session["real_ip"], "fd18::10");
    assert_eq!(session["virtual_ip"], "10.66.0.2");
    assert_eq!(session["virtual_ip6"], "fd42:66::1000");
    lab.ping(&client, 20, 500);
    the_session(&stack, "judy", "counted", |session| {
        session["bytes_in"].as_i64() > Some(10_000)
    })
    .await;
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "judy", "ended", ended_exactly).await;
    assert_eq!(ended["id"], session["id"]);
}

#[tokio::test]
async fn a_tunnel_without_ipv4_has_sessions_too() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-only-six"]).await;
    let plan = Plan {
        network: "server-ipv6 fd42:66::/64".to_owned(),
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-only-six", plan).await;
    let client = lab.connect("karl").await;
    let session = the_session(&stack, "karl", "active", status("active")).await;
    assert_eq!(session["virtual_ip6"], "fd42:66::1000");
    assert!(session["virtual_ip"].is_null());
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "karl", "ended", status("disconnected")).await;
    assert_eq!(ended["id"], session["id"]);
}
