use domain::role::Role;
use futures_util::future::join_all;

use crate::rig::{PASSWORD, Rig};

#[tokio::test]
async fn the_first_admin_gets_a_generated_password_printed_once() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;

    let printed = rig.run(&["create-admin"]).await;
    let password = printed.lines().last().unwrap();

    assert_eq!(printed.lines().count(), 1);
    assert_eq!(password.len(), 24);
    auth.login("admin", password).await.expect(200);
    assert_eq!(rig.run(&["create-admin"]).await, "");
    assert_eq!(rig.run(&["create-admin", "--username", "second"]).await, "");
    let (_, said) = rig.try_run(&["create-admin"]).await;
    assert!(said.contains("An admin exists already"), "{said}");
    assert_eq!(rig.database.count("SELECT count(*) FROM portal_user").await, 1);
    let entry = "SELECT actor_name, action, details_json -> 'after' ->> 'username' FROM audit_log \
        WHERE object_type = 'portal_user' AND action = 'create'";
    assert_eq!(rig.database.sql(entry).await, format!("cli:{}|create|admin", os_user()));
}

#[tokio::test]
async fn a_given_password_is_used_and_not_printed() {
    let mut rig = Rig::new().await;
    rig.set("ADMIN_USERNAME", "root_of_all");
    rig.set("ADMIN_PASSWORD", PASSWORD);
    let auth = rig.serve().await;

    assert_eq!(rig.run(&["create-admin"]).await, "");

    let me = auth.me(&auth.token("root_of_all").await).await.expect(200).json();
    assert_eq!(me["roles"][0]["name"], "admin");
}

#[tokio::test]
async fn a_weak_password_or_a_bad_username_creates_nobody() {
    let mut rig = Rig::new().await;
    rig.set("ADMIN_PASSWORD", "weak");
    let (status, said) = rig.try_run(&["create-admin"]).await;
    assert!(!status.success());
    assert!(
        said.contains("ADMIN_PASSWORD needs at least 8 characters, an upper-case letter"),
        "{said}"
    );
    assert!(!said.contains("weak"));
    rig.set("ADMIN_PASSWORD", PASSWORD);
    let (status, said) = rig.try_run(&["create-admin", "--username", "no spaces"]).await;
    assert!(!status.success());
    assert!(said.contains("is no username"), "{said}");
    assert_eq!(rig.database.count("SELECT count(*) FROM portal_user").await, 0);
}

#[tokio::test]
async fn of_many_first_admins_at_once_there_is_one() {
    let rig = Rig::new().await;
    let names = ["one", "two", "three", "four"];
    let printed = join_all(names.map(|name| create_admin(&rig, name))).await;
    assert_eq!(printed.iter().filter(|printed| !printed.is_empty()).count(), 1);
    assert_eq!(rig.database.count("SELECT count(*) FROM portal_user").await, 1);
}

#[tokio::test]
async fn a_name_that_somebody_else_has_makes_no_admin() {
    let rig = Rig::new().await;
    rig.portal_user("Admin", &[Role::Viewer]).await;
    let (status, said) = rig.try_run(&["create-admin"]).await;
    assert!(!status.success());
    assert!(said.contains("choose another username"), "{said}");
}

#[tokio::test]
async fn a_server_is_registered_once() {
    let rig = Rig::new().await;
    rig.run(&[
        "create-server",
        "vpn-1",
        "--duplicate-cn",
        "--description",
        "first floor",
    ])
    .await;
    let (status, said) = rig.try_run(&["create-server", "vpn-1"]).await;
    assert!(status.success());
    assert!(said.contains("exists already"), "{said}");
    assert_eq!(
        rig.database
            .sql("SELECT name, duplicate_cn, description FROM vpn_server")
            .await,
        "vpn-1|t|first floor"
    );
    assert_eq!(
        rig.database
            .count("SELECT count(*) FROM audit_log WHERE object_type = 'vpn_server'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_name_that_no_server_may_have_is_refused() {
    let rig = Rig::new().await;
    for name in ["-leading", "with space", "naïve", &"x".repeat(64)] {
        let (status, _) = rig.try_run(&["create-server", "--", name]).await;
        assert!(!status.success(), "{name}");
    }
    assert_eq!(rig.database.count("SELECT count(*) FROM vpn_server").await, 0);
}

#[tokio::test]
async fn without_its_audit_entry_a_change_does_not_happen() {
    let rig = Rig::new().await;
    rig.database
        .sql("ALTER TABLE audit_log ADD CHECK (action <> 'create')")
        .await;
    assert!(!rig.try_run(&["create-server", "vpn-1"]).await.0.success());
    assert!(!rig.try_run(&["create-admin"]).await.0.success());
    assert_eq!(
        rig.database
            .sql("SELECT (SELECT count(*) FROM vpn_server), (SELECT count(*) FROM portal_user)")
            .await,
        "0|0"
    );
}

async fn create_admin(rig: &Rig, username: &str) -> String {
    rig.run(&["create-admin", "--username", username]).await
}

fn os_user() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn somebody_who_is_locked_out_gets_a_new_password_from_the_command_line() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.admin(&auth).await;

    let printed = rig.run(&["reset-password", "BOSS"]).await;

    let password = printed.trim();
    assert_eq!((printed.lines().count(), password.len()), (1, 24));
    person.get("/api/profile").await.expect(401);
    auth.login("boss", PASSWORD).await.expect(401);
    let login = auth.login("boss", password).await.expect(200).json();
    assert_eq!(login["required_action"], "change_password");
    let (status, said) = rig.try_run(&["reset-password", "nobody"]).await;
    assert!(!status.success());
    assert!(said.contains("there is no portal user \"nobody\""), "{said}");
}

#[tokio::test]
async fn a_given_new_password_is_used_and_keeps_the_rules() {
    let mut rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    rig.set("NEW_PASSWORD", "weak");
    let (status, said) = rig.try_run(&["reset-password", "jdoe"]).await;
    assert!(!status.success());
    assert!(said.contains("NEW_PASSWORD needs at least 8 characters"), "{said}");
    rig.set("NEW_PASSWORD", "Another-g00d-one");
    assert_eq!(rig.run(&["reset-password", "jdoe", "--disable-totp"]).await, "");
    let auth = rig.serve().await;
    auth.login("jdoe", "Another-g00d-one").await.expect(200);
}
