//! What an administrator asks the agent.

use std::fs;

use test_support::{Stack, eventually};

use super::lab::skipped;
use super::sessions::{status, the_session};
use super::{Lab, pki};

#[tokio::test]
async fn the_agent_tells_how_it_is() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    lab.attached().await;
    let client = lab.connect("olga").await;
    the_session(&stack, "olga", "active", status("active")).await;
    let (well, said) = lab.agent_says(&["status"]);
    assert!(well, "{said}");
    for part in [
        "VPN server    vpn-real",
        "OpenVPN 2.",
        "Sessions      1",
        "management (unix:",
        "Spool         ",
        "last accepted",
        "Denials       0 in force, as of",
        "Commands      0 in hand, 0 ended lately",
        "Inventory     nothing to look at",
        "Dead letters  none",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let metrics = lab.agent_metrics();
    for part in [
        "200 OK",
        "\nopenvpn_agent_sessions 1\n",
        "\nopenvpn_agent_denials_in_force 0\n",
        "\nopenvpn_agent_commands_in_hand 0\n",
        "\nopenvpn_agent_dead_letters 0\n",
        "\nopenvpn_agent_source_up{source=\"management\"} 1\n",
    ] {
        assert!(metrics.contains(part), "{part}: {metrics}");
    }

    stack.ingest(0).kill();
    lab.disconnect(&client).await;
    eventually("the spool to be told of", async || {
        let (_, said) = lab.agent_says(&["status"]);
        (said.contains("events wait, the oldest is") && said.contains("Complaint")).then_some(())
    })
    .await;
    lab.kill_server();
    eventually("the lost source to be told of", async || {
        lab.agent_says(&["status"]).1.contains("DOES NOT WORK").then_some(())
    })
    .await;
    lab.kill_agent();
    let (well, said) = lab.agent_says(&["status"]);
    assert!(!well && said.contains("no agent listens"), "{said}");
}

#[tokio::test]
async fn a_check_says_what_is_missing_and_with_its_lines_nothing_is() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    lab.attached().await;
    let whole = lab.file("server.conf");
    let whole = whole.to_str().unwrap();
    let (good, said) = lab.agent_says(&["check", "--openvpn-config", whole]);
    assert!(good, "{said}");
    for part in [
        "The hooks are installed",
        "held by the agent that runs here",
        "takes the key for vpn-real",
        "clock and the product's agree",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    let bare: String = fs::read_to_string(whole)
        .unwrap()
        .lines()
        .filter(|line| {
            !["management", "client-", "script-", "status"]
                .iter()
                .any(|part| line.starts_with(part))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let file = lab.file("bare.conf");
    fs::write(&file, &bare).unwrap();
    let (good, said) = lab.agent_says(&["check", "--openvpn-config", file.to_str().unwrap()]);
    assert!(!good && said.contains("MISSING"), "{said}");
    let to_server = additions(&said, "Add to");
    assert!(
        to_server.contains("script-security 2\n") && to_server.contains("hook --state-dir"),
        "{said}"
    );
    let to_agent = additions(&said, "Set in");
    assert!(
        to_agent.starts_with("[openvpn]\nmanagement = \"tcp:127.0.0.1:7505\"\n"),
        "{said}"
    );
    fs::write(&file, format!("{bare}{to_server}")).unwrap();
    let (_, said) = lab.agent_says(&["check", "--openvpn-config", file.to_str().unwrap()]);
    assert!(!said.contains("Add to"), "{said}");
    assert!(said.contains("The hooks are installed"), "{said}");

    lab.kill_agent();
    let config = lab.file("agent.toml");
    let wrong = fs::read_to_string(&config).unwrap().replace("ovt_", "ovt_0");
    fs::write(&config, wrong).unwrap();
    let (good, said) = lab.agent_says(&["check", "--openvpn-config", whole]);
    assert!(!good && said.contains("does not accept the API key"), "{said}");
    assert!(said.contains("no other client is attached"), "{said}");
}

/// The lines below a heading of what a check prints.
fn additions(said: &str, heading: &str) -> String {
    let (_, rest) = said.split_once(heading).expect(heading);
    let lines = rest.lines().skip(2).take_while(|line| line.starts_with("    "));
    lines.map(|line| format!("{}\n", line.trim_start())).collect()
}

#[tokio::test]
async fn the_inventory_that_a_check_proposes_is_told() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let folder = lab.file("");
    pki::issue_client(&folder, "olga", "olga");
    pki::index_of(&folder, &[("server", "vpn-server"), ("olga", "olga")]);
    let whole = lab.file("server.conf");
    let check = ["check", "--openvpn-config", whole.to_str().unwrap()];
    let (good, said) = lab.agent_says(&check);
    assert!(good && said.contains("[inventory] is not set"), "{said}");
    let config = lab.file("agent.toml");
    let proposed = additions(&said, "Set in");
    assert!(proposed.starts_with("[inventory]\nserver_config = "), "{said}");
    fs::write(&config, fs::read_to_string(&config).unwrap() + &proposed).unwrap();
    let (good, said) = lab.agent_says(&check);
    // The server's own certificate is none of a VPN user.
    assert!(
        good && said.contains("The inventory can be read: certificates 1, addresses 0, routes 0."),
        "{said}"
    );
    lab.kill_agent();
    lab.start_agent();
    eventually("the inventory to be told", async || {
        let (_, said) = lab.agent_says(&["status"]);
        said.contains("Inventory     1 entries, sent").then_some(())
    })
    .await;
    fs::remove_file(lab.file("index.txt")).unwrap();
    let (good, said) = lab.agent_says(&check);
    assert!(!good && said.contains("index.txt cannot be read"), "{said}");
}
