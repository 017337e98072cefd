use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::role::Role;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use test_support::{Reply, now};

use crate::rig::{Auth, Rig};

#[tokio::test]
async fn a_token_verifies_against_the_published_keys_and_says_who_it_is_about() {
    let rig = Rig::new().await;
    let id = rig.portal_user("jdoe", &[Role::Operator, Role::Auditor]).await;
    let auth = rig.serve().await;

    let token = auth.token("jdoe").await;
    let claims = verify(&token, &keys(&auth).await);

    assert_eq!(claims["iss"], "openvpn-telemetry");
    assert_eq!(claims["aud"], "openvpn-telemetry-portal");
    assert_eq!(claims["sub"], id.to_string());
    assert_eq!(claims["username"], "jdoe");
    assert_eq!(claims["roles"], json!(["operator", "auditor"]));
    assert_eq!(claims["token_version"], 1);
    let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert_eq!(expires - issued, 3600);
    assert!((now().unix_timestamp() - issued).abs() < 60);
    let other = verify(&auth.token("jdoe").await, &keys(&auth).await);
    assert_ne!(claims["jti"], other["jti"]);
}

#[tokio::test]
async fn every_role_may_ask_who_it_is_and_nobody_without_a_token() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    for role in Role::ALL {
        let id = rig.portal_user(role.as_str(), &[role]).await;
        let me = auth.me(&auth.token(role.as_str()).await).await.expect(200).json();
        let roles = json!([{"id": role.id(), "name": role.as_str()}]);
        assert_eq!(me, json!({"id": id, "username": role.as_str(), "roles": roles}));
    }
    let anonymous = Reply::to(auth.get("/api/auth/me")).await.expect(401);
    assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"));
    auth.me("not.a.token").await.expect(401);
}

#[tokio::test]
async fn replicas_with_keys_of_their_own_accept_each_others_tokens() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let (first, second) = (rig.serve().await, rig.serve().await);

    assert_eq!(keys(&first).await.len(), 2);
    assert_eq!(keys(&first).await, keys(&second).await);
    second.me(&first.token("jdoe").await).await.expect(200);
    first.me(&second.token("jdoe").await).await.expect(200);
    let published = "SELECT count(*) FROM audit_log WHERE object_type = 'token_signing_key' AND actor_name = 'auth'";
    assert_eq!(rig.database.count(published).await, 2);
}

#[tokio::test]
async fn a_restart_keeps_the_key_and_its_tokens() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let token = auth.token("jdoe").await;

    auth.process.restart().await;

    auth.me(&token).await.expect(200);
    assert_eq!(keys(&auth).await.len(), 1);
}

#[tokio::test]
async fn paths_that_are_not_listed_do_not_exist() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    Reply::to(auth.get("/api/auth/nothing")).await.expect(404);
    let wrong_method = Reply::to(auth.get("/api/auth/login")).await.expect(405);
    assert_eq!(wrong_method.header("allow"), Some("POST"));
}

async fn keys(auth: &Auth) -> Vec<Value> {
    let answer = Reply::to(auth.get("/api/auth/.well-known/jwks.json")).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    answer.json()["keys"].as_array().unwrap().clone()
}

/// By the letter of RFC 7515 and RFC 8037, without the code under test.
fn verify(token: &str, keys: &[Value]) -> Value {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    let key = keys
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("the key is published");
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
    let (signed, _) = token.rsplit_once('.').unwrap();
    let public_key = UnparsedPublicKey::new(&ED25519, decode(key["x"].as_str().unwrap()));
    public_key
        .verify(signed.as_bytes(), &decode(signature))
        .expect("the signature is right");
    serde_json::from_slice(&decode(claims)).unwrap()
}
