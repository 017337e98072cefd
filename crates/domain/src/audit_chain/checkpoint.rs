use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entry::{Hash, from_hex, hex, sha256};

/// The chain's head as it was once, signed. As JSON it is a line of the checkpoint file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Of the entry that was the last one.
    pub id: i64,
    #[serde(serialize_with = "write_hex", deserialize_with = "read_hex")]
    pub entry_hash: Hash,
    /// RFC 3339 in UTC with milliseconds.
    pub signed_at: String,
    /// Names the key.
    pub kid: String,
    /// Ed25519.
    #[serde(serialize_with = "write_hex", deserialize_with = "read_hex")]
    pub signature: [u8; 64],
}

/// The public half of a key that signs checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The first 16 hexadecimal digits of the key's SHA-256.
    pub kid: String,
    pub public_key: [u8; 32],
}

impl PublicKey {
    pub fn new(public_key: [u8; 32]) -> Self {
        Self {
            kid: hex(&sha256(&public_key)[..8]),
            public_key,
        }
    }
}

/// The bytes are no Ed25519 private key in PKCS#8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8")]
pub struct UnusableKey;

/// A private key that signs checkpoints.
#[derive(Debug)]
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// # Errors
    /// [`UnusableKey`].
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, UnusableKey> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| UnusableKey)?;
        let public_key = pair.public_key().as_ref().try_into().map_err(|_| UnusableKey)?;
        Ok(Self {
            pair,
            public: PublicKey::new(public_key),
        })
    }

    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a head. `signed_at` is RFC 3339 in UTC with milliseconds.
    pub fn sign(&self, id: i64, entry_hash: Hash, signed_at: String) -> Checkpoint {
        let kid = self.public.kid.clone();
        let message = message(id, &entry_hash, &signed_at, &kid);
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(&message).as_ref());
        Checkpoint {
            id,
            entry_hash,
            signed_at,
            kid,
            signature,
        }
    }
}

impl Checkpoint {
    /// Whether one of these keys signed it.
    pub fn is_signed_by(&self, keys: &[PublicKey]) -> bool {
        let message = message(self.id, &self.entry_hash, &self.signed_at, &self.kid);
        keys.iter().filter(|key| key.kid == self.kid).any(|key| {
            UnparsedPublicKey::new(&ED25519, &key.public_key)
                .verify(&message, &self.signature)
                .is_ok()
        })
    }
}

/// Lines; the length before the time keeps it from reaching into the name of the key.
fn message(id: i64, entry_hash: &Hash, signed_at: &str, kid: &str) -> Vec<u8> {
    let hash = hex(entry_hash);
    format!(
        "ovt-audit-checkpoint-1\n{id}\n{hash}\n{}:{signed_at}\n{kid}",
        signed_at.len()
    )
    .into_bytes()
}

fn write_hex<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

fn read_hex<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error> {
    let text = String::deserialize(deserializer)?;
    from_hex(&text).ok_or_else(|| serde::de::Error::custom(format!("{N} bytes in hexadecimal digits are expected")))
}
