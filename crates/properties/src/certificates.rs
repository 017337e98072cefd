//! Certificates that were issued and revoked.

use std::fmt::Write;

use openvpn::canonical_serial;
use openvpn::certificate_index::{IssuedCertificate, parse_certificate_index};
use openvpn::revocation_list::{certificate_serial, parse_revocation_list};
use time::OffsetDateTime;

/// What is read of an index can be written as `openssl ca` writes it, and is read as the same.
pub(crate) fn certificate_index(input: &[u8]) {
    let Ok(certificates) = parse_certificate_index(&crate::text(input)) else {
        return;
    };
    for certificate in &certificates {
        assert!(!certificate.common_name.is_empty());
        assert_eq!(
            canonical_serial(&certificate.serial).as_ref(),
            Some(&certificate.serial)
        );
    }
    let written: String = certificates.iter().map(line).collect();
    assert_eq!(parse_certificate_index(&written), Ok(certificates));
}

fn line(certificate: &IssuedCertificate) -> String {
    let mut name = String::new();
    for byte in certificate.common_name.bytes() {
        let _ = write!(name, "\\x{byte:02X}");
    }
    let (status, revoked) = match certificate.revoked_at {
        Some(at) => ("R", time(at)),
        None => ("V", String::new()),
    };
    format!(
        "{status}\t{}\t{revoked}\t{}\tunknown\t/CN={name}\n",
        time(certificate.expires_at),
        certificate.serial
    )
}

fn time(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!(
        "{year:04}{month:02}{day:02}{:02}{:02}{:02}Z",
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// A list of which a piece is missing is none: it never lets somebody in again whom the whole list has turned away.
pub(crate) fn revocation_list(input: &[u8]) {
    if let Ok(serial) = certificate_serial(input) {
        assert_eq!(canonical_serial(&serial), Some(serial));
    }
    let Ok(revocations) = parse_revocation_list(input) else {
        return;
    };
    for revocation in &revocations {
        assert_eq!(canonical_serial(&revocation.serial).as_ref(), Some(&revocation.serial));
    }
    for length in (0..input.len()).rev().take(64).chain((0..input.len()).step_by(97)) {
        if let Ok(torn) = parse_revocation_list(&input[..length]) {
            assert_eq!(torn, revocations);
        }
    }
}
