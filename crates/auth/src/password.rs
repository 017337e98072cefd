//! Passwords: a type that never shows itself, the rules for new ones, and generated ones.

mod common;

use std::fmt;

use ring::rand::SecureRandom;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::random::{self, NoRandomness};

/// A password in clear. It appears in no log: its `Debug` is redacted and it has no `Display`.
#[derive(Clone, ToSchema)]
#[schema(value_type = String, format = Password, max_length = 1024)]
pub struct Password(String);

impl Password {
    /// Hashing reads all of it: a longer one is refused before it costs anything.
    pub const MAX_CHARACTERS: usize = 1024;

    pub fn new(clear: impl Into<String>) -> Self {
        Self(clear.into())
    }

    /// The clear text, for hashing and for the one print of a generated password.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn is_too_long(&self) -> bool {
        self.0.chars().count() > Self::MAX_CHARACTERS
    }

    /// What a new password lacks, as phrases that follow "needs"; empty when it is good. It may take a millisecond.
    pub fn lacks(&self) -> Vec<&'static str> {
        let any = |kind: fn(char) -> bool| self.0.chars().any(kind);
        let rules = [
            (self.0.chars().count() >= 8, "at least 8 characters"),
            (!self.is_too_long(), "at most 1024 characters"),
            (any(char::is_uppercase), "an upper-case letter"),
            (any(char::is_lowercase), "a lower-case letter"),
            (any(|c| c.is_ascii_digit()), "a digit"),
            (
                any(|c| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control()),
                "a special character",
            ),
        ];
        let broken = rules.into_iter().filter(|(kept, _)| !kept).map(|(_, rule)| rule);
        let mut lacks: Vec<_> = broken.collect();
        // A password that is too long is not looked at any further; one that lacks more need not hear of this.
        if lacks.is_empty() && common::is_common(&self.0) {
            lacks.push("to be less common: many people have this one or one much like it");
        }
        lacks
    }

    /// A password of 24 characters (140 bits) that satisfies [`Password::lacks`].
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, NoRandomness> {
        loop {
            let candidate = Self(random::text(random, GENERATED_ALPHABET, 24)?);
            if candidate.lacks().is_empty() {
                return Ok(candidate);
            }
        }
    }
}

/// By hand, because serde's own errors quote what they found.
impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let clear = String::deserialize(deserializer);
        clear.map(Self).map_err(|_| D::Error::custom("a password is a string"))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(redacted)")
    }
}

/// Without characters that are easily confused, or that a shell or an env file would read as something else.
const GENERATED_ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_.+=@";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_password_lacks_nothing() {
        assert!(Password::new("Correct-h0rse").lacks().is_empty());
    }

    #[test]
    fn each_broken_rule_is_named() {
        assert_eq!(Password::new("Sh0rt-1").lacks(), ["at least 8 characters"]);
        assert_eq!(Password::new("lower-case-0nly").lacks(), ["an upper-case letter"]);
        assert_eq!(Password::new("UPPER-CASE-0NLY").lacks(), ["a lower-case letter"]);
        assert_eq!(Password::new("No-digit-here").lacks(), ["a digit"]);
        assert_eq!(Password::new("N0thing special").lacks(), ["a special character"]);
        assert_eq!(Password::new("Aa1-".repeat(257)).lacks(), ["at most 1024 characters"]);
        assert!(Password::new("P@ssw0rd").lacks()[0].starts_with("to be less common"));
    }

    #[test]
    fn generated_passwords_keep_the_rules_and_differ() {
        let random = ring::rand::SystemRandom::new();
        let [first, second] = [(); 2].map(|()| Password::generate(&random).unwrap());
        assert_eq!(first.reveal().len(), 24);
        assert!(first.lacks().is_empty());
        assert_ne!(first.reveal(), second.reveal());
    }

    #[test]
    fn the_debug_form_hides_the_password() {
        assert_eq!(format!("{:?}", Password::new("Correct-h0rse")), "Password(redacted)");
    }
}
