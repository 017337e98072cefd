use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Any JSON value, as far as fields care: reading one never fails on the wrong type, so that the check can say what was
/// found. `null` is the same as absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Field<'a> {
    #[default]
    Absent,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Array,
    Object,
}

/// Longest part of a value that a detail repeats, characters.
const MAX_SHOWN: usize = 80;

impl Field<'_> {
    /// The value for a sentence: text quoted, escaped and cut.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Absent => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Negative(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => quote(text),
            Self::Array => "an array".to_owned(),
            Self::Object => "an object".to_owned(),
        }
    }
}

pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{:?}… ({} characters)", &text[..end], text.chars().count()),
        None => format!("{text:?}"),
    }
}

/// What to make of a value whose type is not known yet: objects and arrays of the right place are read, anything else is
/// kept as a [`Field`] to complain about.
pub(super) trait Shape<'de>: Sized {
    type Value;

    fn other(self, found: Field<'de>) -> Self::Value;

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.other(Field::Object))
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.other(Field::Array))
    }
}

/// Reads a value into a [`Shape`]. Fails on broken JSON only.
pub(super) struct Seed<S>(pub(super) S);

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Shape<'de>> Visitor<'de> for Seed<S> {
    type Value = S::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<S::Value, E> {
        Ok(self.0.other(Field::Absent))
    }

    fn visit_bool<E>(self, value: bool) -> Result<S::Value, E> {
        Ok(self.0.other(Field::Bool(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<S::Value, E> {
        Ok(self.0.other(Field::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<S::Value, E> {
        Ok(self
            .0
            .other(u64::try_from(value).map_or(Field::Negative(value), Field::Unsigned)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<S::Value, E> {
        Ok(self.0.other(Field::Float(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<S::Value, E> {
        Ok(self.0.other(Field::Text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<S::Value, E> {
        Ok(self.0.other(Field::Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<S::Value, A::Error> {
        self.0.array(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<S::Value, A::Error> {
        self.0.object(entries)
    }
}

struct AnyField;

impl<'de> Shape<'de> for AnyField {
    type Value = Field<'de>;

    fn other(self, found: Field<'de>) -> Field<'de> {
        found
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed(AnyField).deserialize(deserializer)
    }
}

/// Reads an object's key by its name, without keeping the text.
pub(super) struct Key<K>(pub(super) fn(&str) -> K);

impl<'de, K> DeserializeSeed<'de> for Key<K> {
    type Value = K;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<K> Visitor<'_> for Key<K> {
    type Value = K;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<K, E> {
        Ok((self.0)(name))
    }
}
