//! Fields that break a rule: all of them in one answer, each by its name.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use domain::role::Role;
use garde::Validate;
use serde::{Deserialize, Deserializer};
use service_kit::Problem;

use crate::username;

/// What is wrong with the fields of a request.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// What the request's own rules say.
    pub(crate) fn of<R: Validate<Context = ()>>(request: &R) -> Self {
        let mut fields = Self::default();
        if let Err(report) = request.validate() {
            for (path, error) in report.iter() {
                let path = path.to_string();
                let name = path.split(['.', '[']).next().unwrap_or_default();
                fields.add(name, error.to_string());
            }
        }
        fields
    }

    pub(crate) fn add(&mut self, name: &str, message: impl Into<String>) {
        self.0.entry(name.to_owned()).or_default().push(message.into());
    }

    /// # Errors
    /// 422 when anything is wrong.
    pub(crate) fn check(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let wrong: Vec<String> = self
            .0
            .iter()
            .map(|(name, messages)| format!("`{name}` {}", messages.join(", ")))
            .collect();
        let detail = format!("{}.", wrong.join("; "));
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", detail)
            .with("fields", serde_json::to_value(self.0).unwrap_or_default()))
    }
}

/// For a field that may be left out but not be null, which would be read as left out.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The roles with these ids.
pub(crate) fn roles(ids: &[i32]) -> Vec<Role> {
    ids.iter().filter_map(|id| Role::from_id(*id)).collect()
}

/// Rule for `role_ids`.
pub(crate) fn known_roles(ids: &[i32], _: &()) -> garde::Result {
    match ids.iter().find(|id| Role::from_id(**id).is_none()) {
        Some(unknown) => Err(garde::Error::new(format!("names an unknown role: {unknown}"))),
        None if ids.is_empty() => Err(garde::Error::new("needs at least one role")),
        None => Ok(()),
    }
}

/// Rule for `username`.
pub(crate) fn valid_username(text: &str, _: &()) -> garde::Result {
    match username::is_valid(text) {
        true => Ok(()),
        false => Err(garde::Error::new("needs 3-50 letters, digits and underscores")),
    }
}

/// Rule for `email`: what browsers take for an address (the HTML standard), no longer than SMTP carries.
pub(crate) fn valid_email(text: &str, _: &()) -> garde::Result {
    let valid = text.len() <= 254 && garde::rules::email::apply(&text, ()).is_ok();
    match valid && !text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        true => Ok(()),
        false => Err(garde::Error::new("needs a valid e-mail address")),
    }
}

/// Rule for `label` and other short texts.
pub(crate) fn plain_text(text: &str, _: &()) -> garde::Result {
    match text.chars().any(char::is_control) {
        true => Err(garde::Error::new("needs to be without control characters")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let mut fields = Fields::default();
        fields.add("password", "needs a digit");
        fields.add("email", "needs a valid e-mail address");
        fields.add("password", "needs a special character");
        let problem = fields.check().unwrap_err();
        assert_eq!(problem.status(), 422);
        assert_eq!(
            problem.detail(),
            "`email` needs a valid e-mail address; `password` needs a digit, needs a special character."
        );
    }

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["jdoe@example.com", "j.doe+vpn@mail.example.org", "a@b.co"] {
            assert!(valid_email(good, &()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "jdoe",
            "@example.com",
            "jdoe@",
            "j doe@example.com",
            "jdoe@example.com\n",
            &format!("{}@b.co", "a".repeat(250)),
        ] {
            assert!(valid_email(bad, &()).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_are_known_and_at_least_one() {
        assert!(known_roles(&[1, 4], &()).is_ok());
        assert!(known_roles(&[], &()).is_err());
        assert!(known_roles(&[1, 5], &()).is_err());
    }
}
