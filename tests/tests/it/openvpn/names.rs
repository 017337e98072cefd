//! Who a session belongs to.

use std::fs;

use test_support::Stack;

use super::lab::skipped;
use super::sessions::{ended_exactly, the_session};
use super::{Lab, Plan};

#[tokio::test]
async fn names_with_commas_spaces_and_other_letters_stay_whole() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let plan = Plan {
        sources: "management = \"unix:{folder}/m.sock\"\nstatus_file = \"{folder}/status.log\"".to_owned(),
        // Without quotes, and with commas between the columns.
        options: "status-version 2".to_owned(),
        ..Plan::default()
    };
    stack.run("auth", &["create-server", "vpn-names"]).await;
    let lab = Lab::start_planned(&stack, "vpn-names", plan).await;
    let names = ["Doe, John, Dr.", "Łukasz Żółć", "o'neill@example.com"];
    let mut clients = Vec::new();
    for name in names {
        let client = lab.connect(name).await;
        lab.ping(&client, 20, 500);
        clients.push(client);
    }
    for name in names {
        let session = the_session(&stack, name, "counted", |session| {
            session["bytes_in"].as_i64() > Some(10_000)
        })
        .await;
        assert_eq!(
            (&session["common_name"], &session["session_status"]),
            (&name.into(), &"active".into())
        );
    }
    for client in &clients {
        lab.disconnect(client).await;
    }
    for name in names {
        the_session(&stack, name, "ended", ended_exactly).await;
    }
}

#[tokio::test]
async fn where_user_names_stand_for_certificates_they_name_the_session() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-users"]).await;
    let options = "username-as-common-name\nauth-user-pass-verify /bin/true via-file";
    let lab = Lab::start_registered(&stack, "vpn-users", options).await;
    let login = lab.file("login");
    fs::write(&login, "john.doe\nlab-secret\n").unwrap();
    let client = lab
        .connect_with("laptop-17", &format!("auth-user-pass {}", login.display()))
        .await;
    // Daemons before 2.5 tell it in their lists only.
    let session = the_session(&stack, "john.doe", "named", |session| session["username"] == "john.doe").await;
    assert_eq!(session["session_status"], "active");
    lab.disconnect(&client).await;
    let ended = the_session(&stack, "john.doe", "ended", ended_exactly).await;
    assert_eq!(ended["id"], session["id"]);
    assert!(!lab.agent_log().contains("lab-secret"));
}
