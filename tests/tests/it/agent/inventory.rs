//! What stands in the files beside a VPN server is what the portal shows of its VPN users.

use std::fs;
use std::path::Path;

use serde_json::Value;
use test_support::{Process, Stack, eventually};

use super::Host;
use crate::openvpn::pki;

/// The files of a VPN server, and the lines of the agent's file that name them.
fn files(host: &Host) -> String {
    let folder = host.path("server");
    fs::create_dir_all(folder.join("ccd")).unwrap();
    pki::found(&folder);
    let config = "port 1194\nclient-config-dir ccd\ncrl-verify crl.pem\ncert server.crt\npush \"route 172.16.66.0 255.255.255.0\"\n";
    fs::write(folder.join("server.conf"), config).unwrap();
    pki::index_of(&folder, &[("server", "vpn-server")]);
    pki::revoke(&folder, &[]);
    format!(
        "[inventory]\nindex_file = \"{0}/index.txt\"\nserver_config = \"{0}/server.conf\"\npoll_seconds = 1",
        folder.display()
    )
}

/// The VPN user as the portal shows it, once it is as wanted.
async fn user(stack: &Stack, common_name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let api = stack.api();
    eventually(&format!("{common_name} to be {what}"), async || {
        let search = common_name.replace(' ', "%20");
        let found = api.get(&format!("/api/vpn-users?search={search}")).await;
        let id = found["users"].as_array()?.first()?["id"].as_i64()?;
        Some(api.get(&format!("/api/vpn-users/{id}")).await).filter(|user| wanted(user))
    })
    .await
}

fn issue(folder: &Path, file: &str, common_name: &str) {
    pki::issue_client(folder, file, common_name);
}

#[tokio::test]
async fn the_portal_shows_what_stands_in_the_files_and_follows_them() {
    let stack = Stack::start().await;
    let mut host = Host::new(&stack, "vpn-inventory").await;
    let lines = files(&host);
    let folder = host.path("server");
    issue(&folder, "juergen", "Jürgen Müller");
    pki::index_of(&folder, &[("server", "vpn-server"), ("juergen", "Jürgen Müller")]);
    host.run_agent(stack.ingest(0).url().as_str(), &lines);

    // Known from the inventory alone; the server's own certificate makes nobody.
    let known = user(&stack, "Jürgen Müller", "certified", |user| {
        user["cert_expiry_at"].is_string()
    })
    .await;
    assert_eq!(known["revoked_at"], Value::Null);
    assert_eq!(known["certificates"][0]["server_instance"], "vpn-inventory");
    assert_eq!(known["certificates"][0]["serial"], pki::serial(&folder, "juergen"));
    let route = &known["routes"][0];
    assert_eq!(
        (&route["network"], &route["for_all"]),
        (&"172.16.66.0".into(), &true.into())
    );
    assert_eq!(stack.api().get("/api/vpn-users").await["total"], 1);

    fs::write(
        folder.join("ccd/Jürgen Müller"),
        "ifconfig-push 10.66.0.200 255.255.255.0\niroute 192.168.77.0 255.255.255.0 # head office\n",
    )
    .unwrap();
    let configured = user(&stack, "Jürgen Müller", "configured", |user| user["ccd"].is_object()).await;
    assert_eq!(configured["ccd"]["ifconfig_ip"], "10.66.0.200");
    let routes = configured["routes"].as_array().unwrap();
    let own = routes.iter().find(|route| route["for_all"] == false).unwrap();
    assert_eq!(
        (&own["route_type"], &own["network"]),
        (&"iroute".into(), &"192.168.77.0".into())
    );
    assert_eq!(own["comment"], "head office");

    // Revoked for the daemon, whatever the index says.
    pki::revoke(&folder, &["juergen"]);
    user(&stack, "Jürgen Müller", "revoked", |user| {
        user["revoked_at"].is_string()
    })
    .await;

    fs::remove_file(folder.join("ccd/Jürgen Müller")).unwrap();
    let bare = user(&stack, "Jürgen Müller", "without address", |user| {
        user["ccd"].is_null()
    })
    .await;
    assert_eq!(bare["routes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_takes_nothing_away() {
    let stack = Stack::start().await;
    let mut host = Host::new(&stack, "vpn-inventory").await;
    let lines = files(&host);
    let folder = host.path("server");
    issue(&folder, "jdoe", "jdoe");
    pki::index_of(&folder, &[("jdoe", "jdoe")]);
    host.run_agent(stack.ingest(0).url().as_str(), &lines);
    user(&stack, "jdoe", "certified", |user| user["cert_expiry_at"].is_string()).await;

    let index = fs::read_to_string(folder.join("index.txt")).unwrap();
    let replace = |text: &str| {
        fs::write(folder.join("index.new"), text).unwrap();
        fs::rename(folder.join("index.new"), folder.join("index.txt")).unwrap();
    };
    replace(&index[..index.len() / 2]);
    eventually("the agent to complain", async || {
        host.log()
            .contains("line 1 of the certificate index cannot be read")
            .then_some(())
    })
    .await;
    replace(&index);
    fs::write(folder.join("ccd/other"), "disable\n").unwrap();
    let other = user(&stack, "other", "configured", |user| user["ccd"].is_object()).await;
    assert_eq!(other["ccd"]["disabled"], true);
    let still = user(&stack, "jdoe", "certified", |_| true).await;
    assert!(still["cert_expiry_at"].is_string(), "{still}");
}

#[tokio::test]
async fn the_simulated_fleet_has_an_inventory_too() {
    let stack = Stack::start().await;
    let key = format!("vpn-demo={}", stack.agent("vpn-demo").key().await);
    let arguments = ["demo", "--base-url", &stack.ingest(0).url(), "--users", "30"];
    let _fleet = Process::spawn("fleet-simulator", &arguments, &[("SIMULATOR_KEYS".to_owned(), key)]);
    let branch = user(&stack, "branch-0005", "configured", |user| user["ccd"].is_object()).await;
    assert_eq!(branch["ccd"]["ifconfig_netmask"], "255.255.0.0");
    assert!(branch["cert_expiry_at"].is_string(), "{branch}");
    assert_eq!(branch["routes"].as_array().map(Vec::len), Some(2));
    let revoked = stack.api().get("/api/vpn-users?revoked=true").await;
    assert_eq!(revoked["total"], 1, "who has left: {revoked}");
}
