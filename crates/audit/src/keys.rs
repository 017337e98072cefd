//! Keys as people hand them over.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::audit_chain::{PublicKey, SigningKey, from_hex, hex};

/// A public key of the command line.
#[derive(Debug, Clone)]
pub(crate) struct KeyArgument(pub(crate) PublicKey);

/// What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410).
const ED25519_DER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl FromStr for KeyArgument {
    type Err = anyhow::Error;

    fn from_str(argument: &str) -> Result<Self> {
        let text = match from_hex::<32>(argument) {
            Some(key) => return Ok(Self(PublicKey::new(key))),
            None => std::fs::read_to_string(argument)
                .context("neither 64 hexadecimal digits nor a file that can be read")?,
        };
        let key = from_hex(text.trim()).or_else(|| from_pem(&text));
        let key = key.context("the file holds no Ed25519 public key, neither as 64 hexadecimal digits nor in PEM")?;
        Ok(Self(PublicKey::new(key)))
    }
}

fn from_pem(text: &str) -> Option<[u8; 32]> {
    pem_body(text, "PUBLIC KEY")?
        .strip_prefix(&ED25519_DER)?
        .try_into()
        .ok()
}

fn pem_body(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.split_whitespace().collect();
    BASE64_STANDARD.decode(body).ok()
}

/// The public half of a private key file, as hexadecimal digits.
pub(crate) fn of_private_key_file(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Some(der) = pem_body(&text, "PRIVATE KEY") else {
        bail!("{} is not a private key in PEM", path.display());
    };
    Ok(hex(&SigningKey::from_pkcs8(&der)?.public_key().public_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_digits_or_from_a_file_that_openssl_wrote() {
        let digits = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let key = digits.parse::<KeyArgument>().unwrap().0;
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
        let path = std::env::temp_dir().join(format!("audit-key-{}.pem", std::process::id()));
        std::fs::write(&path, pem).unwrap();
        let read = path.to_str().unwrap().parse::<KeyArgument>().unwrap().0;
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read, key);
        assert!("d75a".parse::<KeyArgument>().is_err());
    }
}
