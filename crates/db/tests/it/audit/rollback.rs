//! No change without its entry: an append that fails takes the change itself back.

use db::Error;
use db::api_keys::{self, NewApiKey};
use db::audit::Actor;
use db::portal_users::{self, NewPortalUser};
use db::servers_registry::{self, NewServer, ServerChange};
use domain::role::Role;
use test_support::now;

use super::Log;

const BREAK: &str =
    "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the log is broken'; END $$;
    CREATE TRIGGER broken BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION broken()";

fn server(name: &str) -> NewServer {
    NewServer {
        name: name.to_owned(),
        description: String::new(),
        duplicate_cn: false,
    }
}

async fn state(log: &Log) -> String {
    log.database
        .sql(
            "SELECT json_agg(u) FROM portal_user u; SELECT json_agg(r) FROM portal_user_role r;
             SELECT json_agg(s) FROM vpn_server s; SELECT json_agg(k) FROM server_api_key k;
             SELECT json_agg(h) FROM audit_head h",
        )
        .await
}

fn fails<T>(outcome: &Result<T, Error>) {
    assert!(outcome.is_err(), "the change went through without its entry");
}

#[tokio::test]
async fn without_its_entry_no_change_happens() {
    let log = Log::new().await;
    let db = &log.db;
    let actor = || Actor::named("test");
    let server_id = servers_registry::create(db, server("vpn-1"), actor())
        .await
        .unwrap()
        .unwrap();
    let before = state(&log).await;
    log.database.sql(BREAK).await;

    let user = NewPortalUser {
        username: "somebody".to_owned(),
        password_hash: "$argon2id$".to_owned(),
        roles: vec![Role::Viewer],
        ..NewPortalUser::default()
    };
    fails(&portal_users::create(db, user, actor()).await);
    fails(&servers_registry::create(db, server("vpn-2"), actor()).await);
    let retire = ServerChange {
        retired: Some(true),
        ..ServerChange::default()
    };
    fails(&servers_registry::update(db, server_id, retire, now(), actor()).await);
    fails(&servers_registry::delete(db, server_id, now(), actor()).await);
    let key = NewApiKey {
        key_id: "abcdefghijkl".to_owned(),
        server_id,
        secret_sha256: [7; 32],
        label: String::new(),
    };
    fails(&api_keys::create(db, key, now(), actor()).await);
    assert_eq!(state(&log).await, before);

    log.database.sql("DROP TRIGGER broken ON audit_log").await;
    servers_registry::create(db, server("vpn-2"), actor())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(log.verify().await.verified_to, 2);
}
