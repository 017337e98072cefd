use ring::digest::{SHA256, digest};

/// A SHA-256.
pub type Hash = [u8; 32];

/// `previous_hash` of the first entry.
pub const BEFORE_THE_FIRST: Hash = [0; 32];

/// An entry of the audit log with its place in the chain. All fields are the texts that were hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainedEntry {
    /// From 1, without gaps.
    pub id: i64,
    /// RFC 3339 in UTC with microseconds.
    pub created_at: String,
    pub actor_portal_user_id: Option<i64>,
    pub actor_name: String,
    pub action: String,
    pub object_type: String,
    pub object_id: Option<String>,
    /// JSON, byte for byte as it was hashed.
    pub details: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub previous_hash: Hash,
    pub entry_hash: Hash,
}

/// Tells this hash apart from every other use of SHA-256, and from later encodings.
const PURPOSE: &[u8] = b"ovt-audit-entry-1";
/// The length of a field that is null.
const NULL: [u8; 4] = [0xff; 4];

impl ChainedEntry {
    /// The hash that the entry must have, from all its other fields.
    pub fn hash(&self) -> Hash {
        self.hash_as(self.id)
    }

    /// The hash that it would have under another number.
    pub(super) fn hash_as(&self, id: i64) -> Hash {
        let mut text = Vec::with_capacity(512);
        text.extend(PURPOSE);
        text.extend(self.previous_hash);
        push(&mut text, Some(&id.to_string()));
        push(&mut text, Some(&self.created_at));
        push(&mut text, self.actor_portal_user_id.map(|id| id.to_string()).as_deref());
        push(&mut text, Some(&self.actor_name));
        push(&mut text, Some(&self.action));
        push(&mut text, Some(&self.object_type));
        push(&mut text, self.object_id.as_deref());
        push(&mut text, Some(&self.details));
        push(&mut text, self.ip_address.as_deref());
        push(&mut text, self.user_agent.as_deref());
        push(&mut text, self.request_id.as_deref());
        sha256(&text)
    }

    /// Whether it is as it was written, under this number.
    pub(super) fn is_authentic_as(&self, id: i64) -> bool {
        self.hash_as(id) == self.entry_hash
    }
}

/// A field: its length in bytes as four bytes, then UTF-8. No field can so be taken for a part of its neighbour.
fn push(text: &mut Vec<u8>, field: Option<&str>) {
    let Some(field) = field else {
        text.extend(NULL);
        return;
    };
    let length = u32::try_from(field.len()).expect("PostgreSQL holds no text of 4 GiB");
    text.extend(length.to_be_bytes());
    text.extend(field.as_bytes());
}

pub(super) fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}

/// Reads exactly `N` bytes written as hexadecimal digits, such as a [`Hash`].
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 2 * N).then(|| bytes.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_postgresql() {
        // SELECT encode(audit_entry_hash(ROW(…)), 'hex') gave it; the same text must give it for ever.
        let entry = ChainedEntry {
            id: 1,
            created_at: "2026-02-13T12:00:00.123456Z".to_owned(),
            actor_portal_user_id: None,
            actor_name: "jürgen".to_owned(),
            action: "login".to_owned(),
            object_type: "portal_user".to_owned(),
            object_id: Some("7".to_owned()),
            details: r#"{"a":"b"}"#.to_owned(),
            ip_address: Some("2001:db8::1".to_owned()),
            user_agent: Some(String::new()),
            request_id: None,
            previous_hash: BEFORE_THE_FIRST,
            entry_hash: BEFORE_THE_FIRST,
        };
        assert_eq!(
            hex(&entry.hash()),
            "89f939509caab28dcb3ec8934f8511aac23f8801b1918bdbe3e944887213b459"
        );
    }

    #[test]
    fn a_border_between_fields_cannot_move() {
        let entry = |action: &str, object_type: &str| ChainedEntry {
            action: action.to_owned(),
            object_type: object_type.to_owned(),
            ..ChainedEntry::default()
        };
        assert_ne!(entry("ab", "c").hash(), entry("a", "bc").hash());
        let null_or_empty = |object_id: Option<&str>| ChainedEntry {
            object_id: object_id.map(str::to_owned),
            ..ChainedEntry::default()
        };
        assert_ne!(null_or_empty(None).hash(), null_or_empty(Some("")).hash());
    }

    #[test]
    fn hexadecimal_digits_are_read_as_they_are_written() {
        assert_eq!(hex(&[0, 0x1f, 0xff]), "001fff");
        assert_eq!(from_hex("001FFF"), Some([0, 0x1f, 0xff]));
        for text in ["001ff", "001ffg", "001fff00", "ü0"] {
            assert_eq!(from_hex::<3>(text), None, "{text}");
        }
    }
}
