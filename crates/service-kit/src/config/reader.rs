//! Reads a struct from the flat entries.
//!
//! A field of the struct itself says which type it wants. A field of a flattened struct cannot: serde buffers the value
//! first. Its number-like texts are therefore offered as numbers, and when a field then asks for a text, the entry it
//! must have been is turned back into one.

use std::collections::BTreeSet;
use std::collections::btree_map;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use super::fault::Fault;
use super::scalar::Scalar;
use super::{ConfigError, Entries};

/// Reads `C`, without validating it.
pub(crate) fn read<C: DeserializeOwned>(entries: &Entries) -> Result<C, ConfigError> {
    attempt(entries, &BTreeSet::new()).map_err(|fault| describe(entries, fault))
}

fn attempt<'e, C: DeserializeOwned>(entries: &'e Entries, texts: &BTreeSet<&'e str>) -> Result<C, Fault> {
    let fault = match C::deserialize(Fields {
        rest: entries.0.iter(),
        texts,
        value: None,
    }) {
        Ok(config) => return Ok(config),
        Err(fault) => fault,
    };
    let mut told = None;
    for key in rather_texts(entries, texts, &fault) {
        let mut more = texts.clone();
        more.insert(key);
        match attempt(entries, &more) {
            Ok(config) => return Ok(config),
            // Of several entries with the same value the wrong one was turned when the complaint is about that value.
            Err(next) if told.is_none() || !is_about(entries, key, &next) => told = Some(next),
            Err(_) => {}
        }
    }
    Err(told.unwrap_or(fault))
}

/// The entries offered as numbers or booleans that the fault may be about.
fn rather_texts<'e>(entries: &'e Entries, texts: &BTreeSet<&'e str>, fault: &Fault) -> Vec<&'e str> {
    let Fault::Mismatch { key: None, found, .. } = fault else {
        return Vec::new();
    };
    let offered = entries
        .0
        .iter()
        .filter(|(key, value)| !texts.contains(key.as_str()) && !matches!(value, Scalar::Text(_)));
    offered
        .filter(|(_, value)| value.is(found))
        .map(|(key, _)| key.as_str())
        .collect()
}

fn is_about(entries: &Entries, key: &str, fault: &Fault) -> bool {
    let Fault::Mismatch { found, .. } = fault else {
        return false;
    };
    entries
        .0
        .get(key)
        .is_some_and(|value| value.is(found) || value.clone().into_text().is(found))
}

fn describe(entries: &Entries, fault: Fault) -> ConfigError {
    match fault {
        Fault::Missing(field) => ConfigError::Missing {
            variable: field.to_uppercase(),
        },
        Fault::Mismatch { key, found, expected } => {
            let variable = key.map_or_else(|| holders(entries, &found), |key| key.to_uppercase());
            ConfigError::WrongType {
                variable,
                expected: readable(&expected),
                found,
            }
        }
        Fault::Other {
            key: Some(key),
            message,
        } => ConfigError::Invalid {
            variable: key.to_uppercase(),
            reason: message,
        },
        Fault::Other { key: None, message } => ConfigError::Other(message),
    }
}

/// The variables that hold the value `found`.
fn holders(entries: &Entries, found: &str) -> String {
    let holds = |value: &Scalar| value.is(found) || value.clone().into_text().is(found);
    let names = entries
        .0
        .iter()
        .filter(|(_, value)| holds(value))
        .map(|(key, _)| key.to_uppercase());
    names.collect::<Vec<_>>().join(" or ")
}

/// serde names Rust's types; whoever runs a service needs not know them.
fn readable(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative and not too large".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

/// The entries as a map, for serde.
struct Fields<'e, 't> {
    rest: btree_map::Iter<'e, String, Scalar>,
    texts: &'t BTreeSet<&'e str>,
    value: Option<(&'e str, Scalar)>,
}

impl<'de> Deserializer<'de> for Fields<'_, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let value = value.clone();
        let value = if self.texts.contains(key.as_str()) {
            value.into_text()
        } else {
            value
        };
        self.value = Some((key, value));
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) = self.value.take().expect("serde asks for a value after its key");
        seed.deserialize(value).map_err(|fault| fault.at(key))
    }
}
