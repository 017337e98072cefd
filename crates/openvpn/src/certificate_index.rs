//! `index.txt`: the list that easy-rsa (through `openssl ca`) keeps of the certificates it has issued.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::serial::canonical_serial;

const FOUR_DIGIT_YEAR: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day][hour][minute][second]Z");

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    pub common_name: String,
    /// See [`canonical_serial`].
    pub serial: String,
    pub expires_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
}

/// A line that makes no sense. A list with a line left out would take a certificate away from its VPN user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the certificate index cannot be read")]
pub struct IndexError {
    /// From 1.
    pub line: usize,
}

/// Reads a whole index. Certificates without a common name, which let nobody in, are left out.
///
/// # Errors
/// [`IndexError`] names the first line that makes no sense.
pub fn parse_certificate_index(text: &str) -> Result<Vec<IssuedCertificate>, IndexError> {
    let mut certificates = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            continue;
        }
        let read = certificate(line).ok_or(IndexError { line: index + 1 })?;
        certificates.extend(read);
    }
    Ok(certificates)
}

/// `Status⇥expires⇥revoked[,reason]⇥serial⇥file⇥subject`; the inner `None` is a certificate without a common name.
fn certificate(line: &str) -> Option<Option<IssuedCertificate>> {
    let mut fields = line.splitn(6, '\t');
    let (status, expires, revoked, serial) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let (_file, subject) = (fields.next()?, fields.next()?);
    let revoked_at = match status {
        // Expired is what follows from the time.
        "V" | "E" => None,
        "R" => Some(time(revoked.split(',').next()?)?),
        _ => return None,
    };
    let (serial, expires_at) = (canonical_serial(serial)?, time(expires)?);
    Some(common_name(subject).map(|common_name| IssuedCertificate {
        common_name,
        serial,
        expires_at,
        revoked_at,
    }))
}

/// `YYMMDDHHMMSSZ` (until 2049) or `YYYYMMDDHHMMSSZ`
fn time(text: &str) -> Option<OffsetDateTime> {
    let long = match text.len() {
        13 => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 {
                "20"
            } else {
                "19"
            };
            format!("{century}{text}")
        }
        _ => text.to_owned(),
    };
    Some(PrimitiveDateTime::parse(&long, FOUR_DIGIT_YEAR).ok()?.assume_utc())
}

/// The last common name of `/C=DE/CN=jdoe/emailAddress=…`, which is the one that OpenVPN takes. A slash that does not begin an
/// attribute belongs to the name.
fn common_name(subject: &str) -> Option<String> {
    let mut found: Option<String> = None;
    let mut inside = false;
    for part in subject.split('/').skip(1) {
        match part.split_once('=') {
            Some(("CN", name)) => {
                found = Some(name.to_owned());
                inside = true;
            }
            Some((attribute, _)) if is_attribute(attribute) => inside = false,
            _ if inside => {
                let name = found.get_or_insert_default();
                name.push('/');
                name.push_str(part);
            }
            _ => {}
        }
    }
    found.map(|name| unescape(&name)).filter(|name| !name.is_empty())
}

fn is_attribute(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// openssl writes what is not ASCII as `\xC3\xBC`.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match escaped(&bytes[at..]) {
            Some(escaped) => {
                plain.push(escaped);
                at += 4;
            }
            None => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn escaped(bytes: &[u8]) -> Option<u8> {
    let [b'\\', b'x', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_recorded_index_is_read() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/openvpn/easy-rsa/index.txt"
        );
        let certificates = parse_certificate_index(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(certificates.len(), 14);
        assert_eq!(certificates[2].common_name, "Jürgen Müller");
        assert_eq!(certificates[2].serial, "107202d45c75a82d902dd688e957d1ab");
        assert_eq!(certificates[2].expires_at, datetime!(2029-02-23 21:59:01 UTC));
        let mallory = &certificates[8];
        assert_eq!(mallory.common_name, "mallory");
        assert_eq!(mallory.revoked_at, Some(datetime!(2026-11-21 21:59:05 UTC)));
        let renewed = certificates.iter().filter(|one| one.common_name == "renewed-user");
        assert_eq!(renewed.count(), 2);
        assert_eq!(certificates[12].revoked_at, None);
    }

    #[test]
    fn the_common_name_is_found_in_every_subject() {
        let name = |subject: &str| common_name(subject);
        assert_eq!(
            name("/C=DE/O=a/b/CN=Doe, John/emailAddress=j@x.org").as_deref(),
            Some("Doe, John")
        );
        assert_eq!(name("/CN=old/CN=a/b=c d/e").as_deref(), Some("a"));
        assert_eq!(name("/CN=ops/on call").as_deref(), Some("ops/on call"));
        assert_eq!(name("/CN=\\xE2\\x82\\xAC \\x").as_deref(), Some("€ \\x"));
        assert_eq!(name("/O=nobody"), None);
        assert_eq!(name("/CN="), None);
    }

    #[test]
    fn both_ways_to_write_a_year_and_bad_lines() {
        let line = |fields: [&str; 4]| format!("{}\tunknown\t/CN=a", fields.join("\t"));
        let one = |fields| parse_certificate_index(&line(fields)).map(|mut found| found.remove(0));
        let late = one(["V", "20510223215901Z", "", "01"]).unwrap();
        assert_eq!(late.expires_at, datetime!(2051-02-23 21:59:01 UTC));
        let early = one(["V", "990223215901Z", "", "01"]).unwrap();
        assert_eq!(early.expires_at, datetime!(1999-02-23 21:59:01 UTC));
        for bad in [
            ["X", "290223215901Z", "", "01"],
            ["V", "2902", "", "01"],
            ["R", "290223215901Z", "", "01"],
            ["V", "290223215901Z", "", "no"],
        ] {
            assert_eq!(one(bad), Err(IndexError { line: 1 }), "{bad:?}");
        }
        assert_eq!(parse_certificate_index("\n\nV\t29"), Err(IndexError { line: 3 }));
        assert_eq!(parse_certificate_index(""), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "([VRE]\t[0-9Z]{0,15}\t[0-9Z,a-z]{0,15}\t[0-9A-Fx]{0,42}\tunknown\t[/CN=a-z\\\\x\u{fc}]{0,20}\n?){0,4}") {
            let _ = parse_certificate_index(&text);
        }
    }
}
