//! The public halves of the signing keys, as the world sees them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use utoipa::ToSchema;

/// A key that verifies tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The name that tokens call it by.
    pub kid: String,
    /// The Ed25519 public key.
    pub public_key: [u8; 32],
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Jwks {
    /// The keys that verify tokens now.
    pub keys: Vec<Jwk>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Jwk {
    /// The name that tokens call it by.
    pub kid: String,
    /// Key type.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// Curve.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// Algorithm.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// What it is for.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub purpose: &'static str,
    /// The public key, base64url without padding.
    pub x: String,
}

impl PublicKey {
    /// Names a key by its thumbprint (RFC 7638), so that the same key has the same name everywhere.
    pub fn new(public_key: [u8; 32]) -> Self {
        let x = URL_SAFE_NO_PAD.encode(public_key);
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
        Self { kid, public_key }
    }
}

impl Jwks {
    /// The document of these keys.
    pub fn new(keys: &[PublicKey]) -> Self {
        Self {
            keys: keys.iter().map(Jwk::from).collect(),
        }
    }
}

impl From<&PublicKey> for Jwk {
    fn from(key: &PublicKey) -> Self {
        Self {
            kid: key.kid.clone(),
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            purpose: "sig",
            x: URL_SAFE_NO_PAD.encode(key.public_key),
        }
    }
}
