use bus::{Bus, BusConfig};
use futures_util::StreamExt;
use ring::digest::{SHA256, digest};
use serde_json::json;
use test_support::{now, shared_servers};

use crate::rig::Rig;

#[tokio::test]
async fn a_key_is_shown_once_and_known_by_its_hash() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    rig.run(&["create-server", "vpn-1"]).await;
    let id = rig.database.count("SELECT id FROM vpn_server").await;
    let path = format!("/api/servers/{id}/keys");

    let created = admin.post(&path, &json!({"label": "rack 4"})).await.expect(201).json();
    admin.post(&path, &json!({})).await.expect(201);

    let key = created["key"].as_str().unwrap();
    let key_id = created["key_id"].as_str().unwrap();
    let secret = key.strip_prefix(&format!("ovt_{key_id}_")).unwrap();
    let stored = db::api_keys::find(&rig.db().await, key_id).await.unwrap().unwrap();
    assert_eq!(stored.secret_sha256, digest(&SHA256, secret.as_bytes()).as_ref());
    let listed = admin.get(&path).await.expect(200);
    assert!(!listed.body.contains(secret));
    let keys = listed.json()["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert_eq!(keys[0]["label"], "rack 4");
    assert_eq!(keys[0]["revoked_at"], json!(null));
    let entries = rig.audited("server_api_key", key_id).await;
    assert_eq!(entries[0]["actor_name"], "boss");
    let log = rig.database.sql("SELECT audit_log FROM audit_log").await;
    assert!(!log.contains(secret));
}

#[tokio::test]
async fn a_revoked_key_is_told_to_ingest_and_stays_in_the_list() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    rig.run(&["create-server", "vpn-1"]).await;
    rig.run(&["create-server", "vpn-2"]).await;
    let id = async |name: &str| {
        rig.database
            .count(&format!("SELECT id FROM vpn_server WHERE name = '{name}'"))
            .await
    };
    let (id, other) = (id("vpn-1").await, id("vpn-2").await);
    let key = admin
        .post(&format!("/api/servers/{id}/keys"), &json!({}))
        .await
        .expect(201)
        .json();
    let key_id = key["key_id"].as_str().unwrap();
    let bus = Bus::connect(&BusConfig::new(&shared_servers().nats_url, &rig.namespace))
        .await
        .unwrap();
    let mut revoked = bus.subscribe_api_key_revoked().await.unwrap();

    admin
        .delete(&format!("/api/servers/{other}/keys/{key_id}"))
        .await
        .expect(404);
    admin
        .delete(&format!("/api/servers/{id}/keys/{key_id}"))
        .await
        .expect(204);

    assert_eq!(revoked.next().await.unwrap(), key_id);
    let keys = admin.get(&format!("/api/servers/{id}/keys")).await.expect(200).json();
    assert!(keys["keys"][0]["revoked_at"].is_string());
    admin
        .delete(&format!("/api/servers/{id}/keys/{key_id}"))
        .await
        .expect(204);
    assert_eq!(revoked.next().await.unwrap(), key_id, "told again");
    let actions: Vec<_> = rig
        .audited("server_api_key", key_id)
        .await
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(actions, ["create", "revoke"]);
}

#[tokio::test]
async fn what_does_not_exist_or_is_retired_gets_no_key() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    rig.run(&["create-server", "vpn-1"]).await;
    let id = rig.database.count("SELECT id FROM vpn_server").await;
    let path = format!("/api/servers/{id}/keys");
    admin.get("/api/servers/999999/keys").await.expect(404);
    admin.post("/api/servers/999999/keys", &json!({})).await.expect(404);
    admin.get("/api/servers/vpn-1/keys").await.expect(400);
    for key_id in ["abcdefghijkl", "nonsense", "ABCDEFGHIJKL"] {
        admin.delete(&format!("{path}/{key_id}")).await.expect(404);
    }
    admin.post(&path, &json!({"label": "x".repeat(201)})).await.expect(422);
    admin.post(&path, &json!({"label": "two\nlines"})).await.expect(422);
    admin.post(&path, &json!({"key_id": "abcdefghijkl"})).await.expect(400);
    rig.database
        .sql(&format!("UPDATE vpn_server SET retired_at = '{}'", now()))
        .await;
    assert_eq!(
        admin.post(&path, &json!({})).await.expect(409).json()["error"],
        "server_retired"
    );
}
