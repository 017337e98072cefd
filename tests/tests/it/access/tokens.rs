//! Good tokens, and every way in which one can be wrong.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use test_support::Stack;

/// Forges tokens: it has the stack's own signing key.
pub(crate) struct Forger {
    key: Ed25519KeyPair,
    header: Value,
    claims: Value,
}

impl Forger {
    /// From a token that the stack itself has given.
    pub(crate) fn of(stack: &Stack, token: &str) -> Self {
        let pem = fs::read_to_string(stack.variable("AUTH_SIGNING_KEY_FILE")).expect("the signing key");
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let key = STANDARD.decode(base64).expect("base64");
        let mut parts = token.split('.');
        Self {
            key: Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key).expect("a key"),
            header: decode(parts.next()),
            claims: decode(parts.next()),
        }
    }

    /// What the token says, with these claims changed, signed as it should be.
    pub(crate) fn with(&self, changes: &Value) -> String {
        let mut claims = self.claims.clone();
        let claims = claims.as_object_mut().expect("claims are an object");
        claims.extend(changes.as_object().expect("changes are an object").clone());
        let text = unsigned(&self.header, &claims.clone().into());
        let signature = self.key.sign(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a token must never be believed for, by name.
    pub(crate) fn wrong(&self) -> Vec<(&'static str, String)> {
        let (expired, issuer) = (json!({"exp": 1, "iat": 0}), json!({"iss": "somebody-else"}));
        let mut tokens = vec![
            ("expired", self.with(&expired)),
            ("wrong audience", self.with(&json!({"aud": "another-portal"}))),
            ("wrong issuer", self.with(&issuer)),
            ("signed by another key", self.signed_by_another_key()),
            ("empty", String::new()),
        ];
        for (name, algorithm) in [("alg none", "none"), ("alg None", "None"), ("no alg", "")] {
            let text = unsigned(&self.header_with(algorithm), &self.claims);
            tokens.push((name, format!("{text}.")));
        }
        tokens.extend(self.signed_with_the_public_key());
        tokens
    }

    /// The public key is public: a verifier that lets the token choose HMAC takes it for a shared secret.
    fn signed_with_the_public_key(&self) -> [(&'static str, String); 2] {
        let raw = self.key.public_key().as_ref();
        // RFC 8410: the frame of an Ed25519 public key.
        let der = [
            &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00],
            raw,
        ]
        .concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        );
        let text = unsigned(&self.header_with("HS256"), &self.claims);
        [
            ("HS256 with the public key", raw),
            ("HS256 with its PEM", pem.as_bytes()),
        ]
        .map(|(name, secret)| {
            let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
            (name, format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
        })
    }

    fn signed_by_another_key(&self) -> String {
        let another = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let text = unsigned(&self.header, &self.claims);
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(another.sign(text.as_bytes())))
    }

    fn header_with(&self, algorithm: &str) -> Value {
        let mut header = self.header.clone();
        match algorithm {
            "" => drop(header.as_object_mut().expect("an object").remove("alg")),
            _ => header["alg"] = algorithm.into(),
        }
        header
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn decode(part: Option<&str>) -> Value {
    let bytes = URL_SAFE_NO_PAD
        .decode(part.expect("a part of the token"))
        .expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}
