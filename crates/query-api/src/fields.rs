//! Fields of JSON bodies: what they may hold, and how one that is not given differs from one that is null.

use actix_web::http::StatusCode;
use serde::{Deserialize, Deserializer};
use service_kit::Problem;

/// 400: a field whose value is not what it must be.
pub(crate) fn invalid_field(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail).with("field", field)
}

/// For `#[serde(default, deserialize_with = "given")]`: `None` when the field is missing, `Some(None)` when it is null.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A text for people: without space around it, 1 to `most` characters, none of them a control character but line breaks and
/// tabs where `lines` are allowed.
pub(crate) fn text(field: &str, given: &str, most: usize, lines: bool) -> Result<String, Problem> {
    let text = given.trim();
    let count = text.chars().count();
    let allowed = |c: char| !c.is_control() || lines && matches!(c, '\n' | '\r' | '\t');
    if count == 0 || count > most || !text.chars().all(allowed) {
        return Err(invalid_field(
            field,
            format!("`{field}` must have 1 to {most} characters, none of them a control character."),
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_something_in_it_and_no_control_characters() {
        assert_eq!(
            text("reason", "  left the company\u{a0}", 500, true).unwrap(),
            "left the company"
        );
        assert!(text("reason", "two\nlines", 500, true).is_ok());
        for (given, lines) in [
            ("", true),
            ("   ", true),
            ("a\u{7}", true),
            ("two\nlines", false),
            ("aaaaaa", false),
        ] {
            assert!(text("reason", given, 5, lines).is_err(), "{given:?}");
        }
    }
}
