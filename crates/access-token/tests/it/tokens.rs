//! Which tokens a verifier takes.

use access_token::{Claims, Jwks, Refusal, Signer};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::role::{ANY_ROLE, Role};
use ring::hmac;
use serde_json::{Value, json};
use service_kit::clock;
use time::Duration;

use crate::support::{Published, claims, signer};

/// Who signs, and what is done to the claims before.
async fn refusal(token: &str, signer: &Signer) -> Refusal {
    Published::of(signer)
        .verifier()
        .verify(token, clock::now())
        .await
        .expect_err("the token is bad")
}

async fn refusal_of(change: impl FnOnce(&mut Claims)) -> Refusal {
    let signer = signer();
    let mut claims = claims(ANY_ROLE);
    change(&mut claims);
    refusal(&signer.sign(&claims).expect("a token"), &signer).await
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn parts(token: &str) -> (String, String, String) {
    let mut parts = token.split('.').map(str::to_owned);
    let mut next = || parts.next().expect("three parts");
    (next(), next(), next())
}

#[tokio::test]
async fn a_good_token_tells_who_is_calling() {
    let signer = signer();
    let token = signer.sign(&claims(&[Role::Operator, Role::Auditor])).expect("a token");
    let caller = Published::of(&signer)
        .verifier()
        .verify(&token, clock::now())
        .await
        .expect("a good token");
    assert_eq!(
        (caller.portal_user_id, caller.username.as_str(), caller.token_version),
        (7, "jdoe", 1)
    );
    assert!(caller.has(Role::Operator) && caller.has(Role::Auditor) && !caller.has(Role::Admin));
}

#[tokio::test]
async fn a_token_without_signature_is_refused() {
    let signer = signer();
    let (_, body, signature) = parts(&signer.sign(&claims(ANY_ROLE)).expect("a token"));
    let kid = &signer.public_key().kid;
    for algorithm in ["none", "None", "NONE"] {
        let header = encode(&json!({"alg": algorithm, "typ": "JWT", "kid": kid}));
        for token in [format!("{header}.{body}."), format!("{header}.{body}.{signature}")] {
            assert!(matches!(refusal(&token, &signer).await, Refusal::Invalid(_)), "{token}");
        }
    }
}

#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let signer = signer();
    let (_, body, _) = parts(&signer.sign(&claims(ANY_ROLE)).expect("a token"));
    let public = signer.public_key();
    let message = format!(
        "{}.{body}",
        encode(&json!({"alg": "HS256", "typ": "JWT", "kid": public.kid}))
    );
    let x = URL_SAFE_NO_PAD.encode(public.public_key);
    for secret in [&public.public_key[..], x.as_bytes()] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(
            refusal(&token, &signer).await,
            Refusal::Invalid("its algorithm is not EdDSA")
        );
    }
}

#[tokio::test]
async fn a_tampered_token_is_refused() {
    let signer = signer();
    let (header, body, signature) = parts(&signer.sign(&claims(&[Role::Viewer])).expect("a token"));
    let admin = encode(&serde_json::to_value(claims(&[Role::Admin])).expect("JSON"));
    let mut bent = URL_SAFE_NO_PAD.decode(&signature).expect("base64");
    bent[10] ^= 1;
    let bent = URL_SAFE_NO_PAD.encode(bent);
    let mismatch = Refusal::Invalid("its signature does not match");
    assert_eq!(
        refusal(&format!("{header}.{admin}.{signature}"), &signer).await,
        mismatch
    );
    assert_eq!(refusal(&format!("{header}.{body}.{bent}"), &signer).await, mismatch);
    assert_eq!(refusal(&format!("{header}.{body}."), &signer).await, mismatch);
}

#[tokio::test]
async fn a_token_of_a_foreign_key_is_refused() {
    let (ours, theirs) = (signer(), signer());
    let token = theirs.sign(&claims(ANY_ROLE)).expect("a token");
    assert_eq!(refusal(&token, &ours).await, Refusal::Invalid("its key is not known"));
    let (_, body, signature) = parts(&token);
    let header = encode(&json!({"alg": "EdDSA", "typ": "JWT", "kid": ours.public_key().kid}));
    let renamed = format!("{header}.{body}.{signature}");
    assert_eq!(
        refusal(&renamed, &ours).await,
        Refusal::Invalid("its signature does not match")
    );
}

#[tokio::test]
async fn a_token_may_not_bring_its_own_key() {
    let (ours, theirs) = (signer(), signer());
    let (_, body, _) = parts(&theirs.sign(&claims(ANY_ROLE)).expect("a token"));
    let jwk = serde_json::to_value(&Jwks::new(&[theirs.public_key().clone()]).keys[0]).expect("JSON");
    let header = encode(&json!({"alg": "EdDSA", "jwk": jwk}));
    assert_eq!(
        refusal(&format!("{header}.{body}.AAAA"), &ours).await,
        Refusal::Invalid("it names no key")
    );
}

#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    let other_audience = refusal_of(|claims| claims.aud = "another-portal".to_owned()).await;
    assert_eq!(other_audience, Refusal::Invalid("it is for another audience"));
    let other_issuer = refusal_of(|claims| claims.iss = "another-issuer".to_owned()).await;
    assert_eq!(other_issuer, Refusal::Invalid("it is from another issuer"));
    let no_user = refusal_of(|claims| claims.sub = "jdoe".to_owned()).await;
    assert_eq!(no_user, Refusal::Invalid("its subject is no portal user"));
}

#[tokio::test]
async fn a_token_ends_at_its_time_and_no_later_than_the_leeway() {
    let signer = signer();
    let claims = claims(ANY_ROLE);
    let token = signer.sign(&claims).expect("a token");
    let verifier = Published::of(&signer).verifier();
    let end = time::OffsetDateTime::from_unix_timestamp(claims.exp).expect("a time");
    assert!(verifier.verify(&token, end + Duration::seconds(4)).await.is_ok());
    assert_eq!(
        verifier.verify(&token, end + Duration::seconds(5)).await,
        Err(Refusal::Expired)
    );
}

#[tokio::test]
async fn garbage_is_refused() {
    let signer = signer();
    let (header, body, signature) = parts(&signer.sign(&claims(ANY_ROLE)).expect("a token"));
    let missing = encode(&json!({"exp": 99_999_999_999_i64, "sub": "7"}));
    let tokens = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        "garbage".to_owned(),
        format!("{header}.{body}"),
        format!("{header}.{body}.{signature}.{signature}"),
        format!("{header}.{missing}.{signature}"),
        format!("{}.{body}.{signature}", encode(&json!({"alg": "EdDSA"}))),
        format!(
            "{}.{body}.{signature}",
            encode(&json!({"alg": "EdDSA", "kid": "x", "crit": ["exp"]}))
        ),
        "\u{1F980}.\u{1F980}.\u{1F980}".to_owned(),
        "A".repeat(100_000),
    ];
    for token in tokens {
        assert!(matches!(refusal(&token, &signer).await, Refusal::Invalid(_)), "{token}");
    }
}

#[tokio::test]
async fn invented_keys_cost_one_fetch_a_second() {
    let signer = signer();
    let published = Published::of(&signer);
    let verifier = published.verifier();
    verifier
        .verify(&signer.sign(&claims(ANY_ROLE)).expect("a token"), clock::now())
        .await
        .expect("a good token");
    for _ in 0..50 {
        let token = self::signer().sign(&claims(ANY_ROLE)).expect("a token");
        assert!(verifier.verify(&token, clock::now()).await.is_err());
    }
    assert!(published.fetches() <= 2, "{} fetches", published.fetches());
}

#[tokio::test]
async fn without_keys_nobody_is_let_in() {
    let signer = signer();
    let published = Published::of(&signer);
    *published.broken.lock().expect("not poisoned") = true;
    let token = signer.sign(&claims(ANY_ROLE)).expect("a token");
    let verifier = published.verifier();
    for _ in 0..2 {
        let refused = verifier
            .verify(&token, clock::now())
            .await
            .expect_err("there are no keys");
        assert_eq!(refused, Refusal::KeysUnavailable("connection refused".to_owned()));
    }
    assert_eq!(published.fetches(), 1);
}

#[test]
fn a_key_written_by_openssl_is_taken() {
    // RFC 8410, section 10.3, and its public key.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let signer = Signer::from_pem(pem.as_bytes()).expect("a good key");
    let public = STANDARD.encode(signer.public_key().public_key);
    assert_eq!(public, "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
}

#[test]
fn other_keys_are_no_signing_keys() {
    for pem in [
        "",
        "hello",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        assert!(Signer::from_pem(pem.as_bytes()).is_err(), "{pem}");
    }
}

#[test]
fn the_published_document_names_each_key() {
    let signer = signer();
    let document = serde_json::to_value(Jwks::new(&[signer.public_key().clone()])).expect("JSON");
    let x = URL_SAFE_NO_PAD.encode(signer.public_key().public_key);
    let kid = &signer.public_key().kid;
    let key = json!({"kid": kid, "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": x});
    assert_eq!(document, json!({"keys": [key]}));
}
