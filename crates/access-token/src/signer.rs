//! Makes tokens.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use thiserror::Error;

use crate::claims::Claims;
use crate::jwks::PublicKey;
use crate::provider;

const PEM_LINE: usize = 64;

/// Why a key cannot be used, or a token not made.
#[derive(Debug, Error)]
pub enum SignerError {
    /// The text is no Ed25519 private key as PKCS#8 PEM.
    #[error("the signing key is not an Ed25519 private key in PKCS#8 PEM")]
    Key,
    /// A token could not be made.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
    /// The machine gave no random numbers.
    #[error("no signing key could be made: no randomness")]
    Randomness,
}

/// Holds a private key and signs with it.
#[derive(Clone)]
pub struct Signer {
    private_key: EncodingKey,
    public_key: PublicKey,
}

impl Signer {
    /// A signer from an Ed25519 private key as PKCS#8 PEM, as [`Signer::generate_pem`] and
    /// `openssl genpkey -algorithm ed25519` write it.
    ///
    /// # Errors
    /// [`SignerError::Key`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, SignerError> {
        provider::install();
        let private_key = EncodingKey::from_ed_pem(pem).map_err(|_| SignerError::Key)?;
        let pair = provider::key_pair(private_key.as_bytes()).map_err(|_| SignerError::Key)?;
        let public_key = pair.public_key().as_ref().try_into().map_err(|_| SignerError::Key)?;
        Ok(Self {
            private_key,
            public_key: PublicKey::new(public_key),
        })
    }

    /// A new private key as PKCS#8 PEM.
    ///
    /// # Errors
    /// [`SignerError::Randomness`].
    pub fn generate_pem() -> Result<String, SignerError> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SignerError::Randomness)?;
        let encoded = STANDARD.encode(pkcs8.as_ref());
        let lines: Vec<&str> = (0..encoded.len())
            .step_by(PEM_LINE)
            .map(|start| &encoded[start..encoded.len().min(start + PEM_LINE)])
            .collect();
        Ok(format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        ))
    }

    /// The public half, to be published.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// A signed token.
    ///
    /// # Errors
    /// [`SignerError::Sign`].
    pub fn sign(&self, claims: &Claims) -> Result<String, SignerError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.public_key.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.private_key).map_err(SignerError::Sign)
    }
}
