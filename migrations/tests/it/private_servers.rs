use migrations::{RolePassword, SERVICE_ROLES};
use test_support::PrivateServers;

fn passwords(password: &str) -> Vec<RolePassword> {
    RolePassword::from_variables(|_| Some(password.to_owned())).expect("a good password")
}

fn in_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL ends with the database");
    format!("{server}/{name}")
}

#[tokio::test]
async fn databases_of_one_cluster_are_migrated_at_once_and_all_steps_can_be_taken_back() {
    let servers = PrivateServers::start().await;
    let database = servers.database();
    let drop_roles: Vec<String> = SERVICE_ROLES
        .iter()
        .map(|(role, _)| format!("DROP ROLE {role};"))
        .collect();
    migrations::down(&database.url, u32::MAX).await.expect("down");
    database.sql(&drop_roles.join(" ")).await;
    let mut tables = Vec::new();
    for number in 0..6 {
        let name = format!("other_{number}");
        database.sql(&format!("CREATE DATABASE {name}")).await;
        tables.push(in_database(&database.url, &name));
    }
    let migrated = tables.iter().map(|url| {
        let url = url.clone();
        tokio::spawn(async move { migrations::up(&url, &passwords("a-password-for-all")).await })
    });
    for (number, outcome) in futures_util::future::join_all(migrated).await.into_iter().enumerate() {
        outcome
            .expect("no panic")
            .unwrap_or_else(|error| panic!("database {number}: {error:#}"));
    }
    assert_eq!(migrations::pending(&tables[0]).await.expect("an answer").len(), 0);
}

#[tokio::test]
async fn a_role_logs_in_with_the_password_that_was_set_last() {
    let servers = PrivateServers::start().await;
    let database = servers.database();
    let before = database.try_sql_as("ovt_auth", "SELECT 1").await;
    assert_eq!(before.expect("the password of this run"), "1");
    for _ in 0..2 {
        migrations::up(&database.url, &passwords("another-password"))
            .await
            .expect("nothing to do but the passwords");
    }
    let refused = database.try_sql_as("ovt_auth", "SELECT 1").await;
    assert!(
        refused
            .expect_err("it is another one")
            .contains("password authentication failed")
    );
    migrations::up(&database.url, &[]).await.expect("nothing to do");
    let url = database.url.rsplit_once('@').expect("a URL with a user").1;
    let login = format!("postgresql://ovt_auth:another-password@{url}");
    migrations::pending(&login)
        .await
        .expect_err("it may not see the steps, but it is let in");
}
