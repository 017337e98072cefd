//! What deserializing reports, kept in parts so that it can be told in the reader's words.

use std::fmt;

use serde::de;

/// A failed attempt at reading a struct from the entries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// A field without default has no entry.
    Missing(&'static str),
    /// A value of the wrong type; `key` is known unless the field is in a flattened struct.
    Mismatch {
        key: Option<String>,
        found: String,
        expected: String,
    },
    /// Anything else.
    Other { key: Option<String>, message: String },
}

impl Fault {
    /// Notes the key whose value was being read.
    pub(crate) fn at(self, name: &str) -> Self {
        match self {
            Self::Mismatch {
                key: None,
                found,
                expected,
            } => Self::Mismatch {
                key: Some(name.to_owned()),
                found,
                expected,
            },
            Self::Other { key: None, message } => Self::Other {
                key: Some(name.to_owned()),
                message,
            },
            known => known,
        }
    }

    fn mismatch(found: de::Unexpected<'_>, expected: impl fmt::Display) -> Self {
        Self::Mismatch {
            key: None,
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other {
            key: None,
            message: message.to_string(),
        }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::mismatch(found, expected)
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::mismatch(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::mismatch(
            de::Unexpected::Str(variant),
            format_args!("one of {}", expected.join(", ")),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "{field} is missing"),
            Self::Mismatch { found, expected, .. } => write!(f, "found {found} where {expected} belongs"),
            Self::Other { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for Fault {}
