use bus::{Bus, BusConfig};
use db::api_keys;
use db::audit::Actor;
use db::servers_registry;
use futures_util::StreamExt;
use ring::digest::{SHA256, digest};
use test_support::{now, shared_servers};

use crate::rig::Rig;

/// The id and the secret of a key as it was printed.
fn parts(key: &str) -> (&str, &str) {
    key.trim().strip_prefix("ovt_").unwrap().split_once('_').unwrap()
}

#[tokio::test]
async fn a_printed_key_is_found_by_its_id_and_known_by_its_hash() {
    let rig = Rig::new().await;
    rig.run(&["create-server", "vpn-1"]).await;

    let printed = rig.run(&["create-key", "vpn-1", "--label", "rack 4"]).await;
    let (key_id, secret) = parts(&printed);

    assert_eq!(printed.lines().count(), 1);
    let db = rig.db().await;
    let key = api_keys::find(&db, key_id).await.unwrap().unwrap();
    assert_eq!(key.server_name, "vpn-1");
    assert_eq!(key.secret_sha256, digest(&SHA256, secret.as_bytes()).as_ref());
    assert_eq!((key.revoked_at, key.server_retired), (None, false));
    assert_eq!(api_keys::find(&db, "abcdefghijkl").await.unwrap(), None);
    let listed = api_keys::list_for_server(&db, key.server_key).await.unwrap().unwrap();
    assert_eq!((listed.len(), listed[0].label.as_str()), (1, "rack 4"));
    let everything = rig.database.sql("SELECT audit_log FROM audit_log").await;
    assert!(everything.contains(key_id) && !everything.contains(secret));
}

#[tokio::test]
async fn a_server_can_have_several_keys_and_an_unknown_one_none() {
    let rig = Rig::new().await;
    rig.run(&["create-server", "vpn-1"]).await;
    let (first, second) = (
        rig.run(&["create-key", "vpn-1"]).await,
        rig.run(&["create-key", "vpn-1"]).await,
    );
    assert_ne!(parts(&first).0, parts(&second).0);
    let (status, said) = rig.try_run(&["create-key", "vpn-2"]).await;
    assert!(!status.success());
    assert!(said.contains("there is no VPN server \"vpn-2\""), "{said}");
}

#[tokio::test]
async fn revoking_a_key_marks_it_and_tells_ingest() {
    let rig = Rig::new().await;
    rig.run(&["create-server", "vpn-1"]).await;
    let printed = rig.run(&["create-key", "vpn-1"]).await;
    let (key_id, _) = parts(&printed);
    let bus = Bus::connect(&BusConfig::new(&shared_servers().nats_url, &rig.namespace))
        .await
        .unwrap();
    let mut revoked = bus.subscribe_api_key_revoked().await.unwrap();

    rig.run(&["revoke-key", key_id]).await;

    assert_eq!(revoked.next().await.unwrap(), key_id);
    let key = api_keys::find(&rig.db().await, key_id).await.unwrap().unwrap();
    assert!(key.revoked_at.is_some());
    rig.run(&["revoke-key", key_id]).await;
    assert_eq!(
        revoked.next().await.unwrap(),
        key_id,
        "told again, should the first time have been cut short"
    );
    assert_eq!(
        rig.database
            .count("SELECT count(*) FROM audit_log WHERE action = 'revoke'")
            .await,
        1
    );
    assert!(!rig.try_run(&["revoke-key", "abcdefghijkl"]).await.0.success());
}

#[tokio::test]
async fn a_retired_server_keeps_its_name_and_gets_no_new_keys() {
    let rig = Rig::new().await;
    rig.run(&["create-server", "vpn-1"]).await;
    let printed = rig.run(&["create-key", "vpn-1"]).await;
    let db = rig.db().await;
    let server = servers_registry::find_by_name(&db, "vpn-1").await.unwrap().unwrap();

    assert!(
        servers_registry::retire(&db, server.id, now(), Actor::named("test"))
            .await
            .unwrap()
    );
    assert!(
        !servers_registry::retire(&db, server.id, now(), Actor::named("test"))
            .await
            .unwrap()
    );

    assert!(
        api_keys::find(&db, parts(&printed).0)
            .await
            .unwrap()
            .unwrap()
            .server_retired
    );
    assert!(!rig.try_run(&["create-key", "vpn-1"]).await.0.success());
    assert!(!rig.try_run(&["create-server", "vpn-1"]).await.0.success());
}
