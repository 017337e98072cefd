//! Serial numbers of certificates.

/// The most that RFC 5280 allows.
const MAX_BYTES: usize = 20;

/// A serial number in hexadecimal as one of one spelling: lower case, no leading zeros. `None` for what is no serial number of
/// at most 20 bytes.
pub fn canonical_serial(text: &str) -> Option<String> {
    let digits = text.trim_start_matches('0');
    let all_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.is_empty() || !all_hex || digits.len() > 2 * MAX_BYTES {
        return None;
    }
    Some(if digits.is_empty() {
        "0".to_owned()
    } else {
        digits.to_ascii_lowercase()
    })
}

pub(crate) fn serial_from_bytes(bytes: &[u8]) -> Option<String> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    canonical_serial(&hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_spelling() {
        assert_eq!(canonical_serial("0A1B").as_deref(), Some("a1b"));
        assert_eq!(canonical_serial("00").as_deref(), Some("0"));
        assert_eq!(serial_from_bytes(&[0, 0xc6, 0x33]).as_deref(), Some("c633"));
        let longest = "f".repeat(40);
        assert_eq!(canonical_serial(&format!("00{longest}")), Some(longest.clone()));
        for wrong in ["", "xyz", "-1", "0x1", &format!("1{longest}")] {
            assert_eq!(canonical_serial(wrong), None, "{wrong}");
        }
    }
}
