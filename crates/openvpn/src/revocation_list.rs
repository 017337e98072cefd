//! A certificate revocation list (CRL), and the serial number of a certificate: what is in PEM.

use time::OffsetDateTime;
use x509_cert::crl::RevokedCert;
use x509_cert::der::asn1::{AnyRef, BitStringRef};
use x509_cert::der::{self, Decode, DecodePem, Reader, SliceReader, pem};
use x509_cert::time::Time;
use x509_cert::{Certificate, Version};

use crate::environment::unix_seconds;
use crate::serial::serial_from_bytes;

/// A certificate that is not to be trusted any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// See [`crate::canonical_serial`].
    pub serial: String,
    pub revoked_at: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    #[error("this is not PEM of the expected kind: {0}")]
    Malformed(String),
    #[error("a serial number or a time cannot be")]
    OutOfRange,
}

/// Reads a list in PEM, of version 1 (`openssl ca -gencrl` without extensions) or 2. Who signed it is not asked: it is the daemon's
/// own, and the daemon does ask.
///
/// # Errors
/// When it is not a list, or an entry of it cannot be: a list with an entry left out would give somebody access in the portal.
pub fn parse_revocation_list(pem: &[u8]) -> Result<Vec<Revocation>, PemError> {
    let (label, bytes) = pem::decode_vec(pem).map_err(|error| PemError::Malformed(error.to_string()))?;
    if label != "X509 CRL" {
        return Err(PemError::Malformed(format!("{label} is no list")));
    }
    let entries = entries(&bytes).map_err(|error| PemError::Malformed(error.to_string()))?;
    entries
        .iter()
        .map(|entry| {
            let revoked_at = unix_seconds(entry.revocation_date.to_unix_duration().as_secs());
            serial_from_bytes(entry.serial_number.as_bytes())
                .zip(revoked_at)
                .map(|(serial, revoked_at)| Revocation { serial, revoked_at })
                .ok_or(PemError::OutOfRange)
        })
        .collect()
}

/// The entries of a `CertificateList` (RFC 5280, 5.1). `x509_cert` has a type for it, which asks for the version that a list of version
/// 1 does not have.
fn entries(der: &[u8]) -> der::Result<Vec<RevokedCert>> {
    let mut reader = SliceReader::new(der)?;
    let entries = reader.sequence(|list| {
        let entries = list.sequence(|to_be_signed| {
            let _version = Option::<Version>::decode(to_be_signed)?;
            let (_algorithm, _issuer) = (AnyRef::decode(to_be_signed)?, AnyRef::decode(to_be_signed)?);
            let (_this_update, _next_update) = (Time::decode(to_be_signed)?, Option::<Time>::decode(to_be_signed)?);
            let entries = Option::<Vec<RevokedCert>>::decode(to_be_signed)?;
            if !to_be_signed.is_finished() {
                let _extensions = AnyRef::decode(to_be_signed)?;
            }
            Ok::<_, der::Error>(entries)
        })?;
        let (_algorithm, _signature) = (AnyRef::decode(list)?, BitStringRef::decode(list)?);
        Ok::<_, der::Error>(entries)
    })?;
    reader.finish()?;
    Ok(entries.unwrap_or_default())
}

/// The serial number of a certificate in PEM; text before it, as easy-rsa writes, is passed over.
///
/// # Errors
/// When it is not a certificate.
pub fn certificate_serial(pem: &[u8]) -> Result<String, PemError> {
    let begin = b"-----BEGIN CERTIFICATE-----";
    let start = pem.windows(begin.len()).position(|window| window == begin);
    let pem = start.and_then(|start| pem.get(start..)).unwrap_or(pem);
    let certificate = Certificate::from_pem(pem).map_err(|error| PemError::Malformed(error.to_string()))?;
    serial_from_bytes(certificate.tbs_certificate().serial_number().as_bytes()).ok_or(PemError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn recorded(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/openvpn/easy-rsa");
        std::fs::read(format!("{folder}/{name}")).unwrap()
    }

    #[test]
    fn the_recorded_list_is_read() {
        let revoked = parse_revocation_list(&recorded("crl.pem")).unwrap();
        let serials: Vec<&str> = revoked.iter().map(|one| one.serial.as_str()).collect();
        assert_eq!(
            serials,
            ["807507e2088c67a694e9c821070db62f", "8c628ba854e67f5562d1155e4cc98780"]
        );
        assert_eq!(revoked[0].revoked_at, datetime!(2026-11-21 21:59:05 UTC));
    }

    #[test]
    fn a_list_of_version_1_is_read() {
        // `openssl ca -gencrl` with a configuration that names no crl_extensions.
        let list = include_bytes!("revocation_list/version-1.pem");
        let revoked = parse_revocation_list(list).unwrap();
        let serials: Vec<&str> = revoked.iter().map(|one| one.serial.as_str()).collect();
        assert_eq!(serials, ["1001", "a1b2c3d4e5f60718"]);
        assert_eq!(revoked[0].revoked_at, datetime!(2026-11-21 21:59:05 UTC));
        let empty = include_bytes!("revocation_list/version-1-empty.pem");
        assert_eq!(parse_revocation_list(empty), Ok(Vec::new()));
    }

    #[test]
    fn a_certificate_has_the_serial_of_the_index() {
        assert_eq!(
            certificate_serial(&recorded("jdoe.crt")).as_deref(),
            Ok("3359189988bad4902c0511b8419c35c1")
        );
    }

    #[test]
    fn what_is_no_list_is_none() {
        assert!(matches!(parse_revocation_list(b""), Err(PemError::Malformed(_))));
        assert!(matches!(
            parse_revocation_list(&recorded("jdoe.crt")),
            Err(PemError::Malformed(_))
        ));
        let half = recorded("crl.pem");
        assert!(matches!(
            parse_revocation_list(&half[..half.len() / 2]),
            Err(PemError::Malformed(_))
        ));
    }
}
