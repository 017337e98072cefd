//! One configuration value. The environment knows only texts, so a text that looks like a number or a boolean is
//! offered as one, and given back as the text it was to a field that wants a text.

use serde::de::{self, IntoDeserializer, Visitor};

use super::fault::Fault;

/// A value and the text it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    Integer(i64, String),
    Float(f64, String),
    Flag(bool, String),
}

impl Scalar {
    /// Takes a text for what it looks like.
    pub(crate) fn guess(text: String) -> Self {
        if let Ok(number) = text.parse() {
            return Self::Integer(number, text);
        }
        match text.as_str() {
            "true" => Self::Flag(true, text),
            "false" => Self::Flag(false, text),
            _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => match text.parse() {
                Ok(number) => Self::Float(number, text),
                Err(_) => Self::Text(text),
            },
            _ => Self::Text(text),
        }
    }

    /// The text as it was written.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Integer(_, text) | Self::Float(_, text) | Self::Flag(_, text) => text,
        }
    }

    /// The same value as a plain text.
    pub(crate) fn into_text(self) -> Self {
        match self {
            Self::Text(text) | Self::Integer(_, text) | Self::Float(_, text) | Self::Flag(_, text) => Self::Text(text),
        }
    }

    fn unexpected(&self) -> de::Unexpected<'_> {
        match self {
            Self::Text(text) => de::Unexpected::Str(text),
            Self::Integer(number, _) => de::Unexpected::Signed(*number),
            Self::Float(number, _) => de::Unexpected::Float(*number),
            Self::Flag(flag, _) => de::Unexpected::Bool(*flag),
        }
    }

    /// Whether `found`, as an error reports it, is this value.
    pub(crate) fn is(&self, found: &str) -> bool {
        self.unexpected().to_string() == found
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Scalar {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for Scalar {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Text(text) => visitor.visit_string(text),
            Self::Integer(number, _) => visitor.visit_i64(number),
            Self::Float(number, _) => visitor.visit_f64(number),
            Self::Flag(flag, _) => visitor.visit_bool(flag),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.into_text().deserialize_any(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(self.text().to_owned().into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
