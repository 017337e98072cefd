use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use time::OffsetDateTime;
use uuid::Uuid;

/// A place in a list that is ordered by time and id. Opaque to callers: base64url of the last row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeCursor<Id = Uuid> {
    /// The direction of the list that it belongs to.
    pub descending: bool,
    pub at: OffsetDateTime,
    pub id: Id,
}

const TIME: u8 = 1;
const NAME: u8 = 2;
const TIME_AND_NUMBER: u8 = 3;

/// What decides between rows of the same time.
pub trait CursorId: Sized {
    /// The first byte of the cursor.
    const KIND: u8;

    fn bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl CursorId for Uuid {
    const KIND: u8 = TIME;

    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

impl CursorId for i64 {
    const KIND: u8 = TIME_AND_NUMBER;

    fn bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl<Id: CursorId> TimeCursor<Id> {
    pub fn encode(&self) -> String {
        let mut bytes = vec![Id::KIND, u8::from(self.descending)];
        let micros = i64::try_from(self.at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX);
        bytes.extend(micros.to_be_bytes());
        bytes.extend(self.id.bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for anything that [`Self::encode`] did not make.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (micros, id) = fields(&bytes, Id::KIND)?.split_first_chunk::<8>()?;
        let nanos = i128::from(i64::from_be_bytes(*micros)) * 1000;
        Some(Self {
            descending: bytes[1] == 1,
            at: OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?,
            id: Id::from_bytes(id)?,
        })
    }
}

/// A place in a list that is ordered by a unique name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameCursor {
    pub descending: bool,
    pub name: String,
}

impl NameCursor {
    pub fn encode(&self) -> String {
        let mut bytes = vec![NAME, u8::from(self.descending)];
        bytes.extend(self.name.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for anything that [`Self::encode`] did not make.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let name = String::from_utf8(fields(&bytes, NAME)?.to_vec()).ok()?;
        // PostgreSQL takes no NUL in a text.
        (!name.contains('\0')).then_some(Self {
            descending: bytes[1] == 1,
            name,
        })
    }
}

fn fields(bytes: &[u8], kind: u8) -> Option<&[u8]> {
    match bytes {
        [first, 0 | 1, fields @ ..] if *first == kind => Some(fields),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_cursor_survives_its_way_through_a_url() {
        let time = TimeCursor {
            descending: true,
            at: datetime!(2026-02-13 12:00:00.123456 UTC),
            id: Uuid::from_u128(7),
        };
        assert_eq!(TimeCursor::decode(&time.encode()), Some(time));
        let name = NameCursor {
            descending: false,
            name: "jürgen@example.com".to_owned(),
        };
        assert_eq!(NameCursor::decode(&name.encode()), Some(name.clone()));
        assert_eq!(TimeCursor::<Uuid>::decode(&name.encode()), None);
        let numbered = TimeCursor {
            descending: true,
            at: datetime!(2026-02-13 12:00 UTC),
            id: 7_i64,
        };
        assert_eq!(TimeCursor::decode(&numbered.encode()), Some(numbered));
        assert_eq!(TimeCursor::<Uuid>::decode(&numbered.encode()), None);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "AQ",
            "AQE",
            "not base64!",
            "AQEAAAAAAAAAAA",
            "AQJ_______________________________",
        ] {
            assert_eq!(TimeCursor::<Uuid>::decode(text), None, "{text:?}");
        }
        let with_nul = NameCursor {
            descending: false,
            name: "a\0b".to_owned(),
        };
        assert_eq!(NameCursor::decode(&with_nul.encode()), None);
    }
}
