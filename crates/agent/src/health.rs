//! How the agent's parts are: each says it here, `agent status` and `/metrics` read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::header::{DATE, HeaderMap};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::clock;

/// Seconds that the clocks may differ by before it is said.
pub(crate) const SKEW: f64 = 5.0;

/// A handle that every part has.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    sources: BTreeMap<&'static str, Source>,
    api: Api,
}

/// One way to hear the daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where it is.
    pub place: String,
    pub works: bool,
    /// Why it does not.
    pub error: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub heard_at: Option<OffsetDateTime>,
}

/// The product, as seen from here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// The last answer, whatever it was; or why there was none.
    pub answer: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub answered_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub accepted_at: Option<OffsetDateTime>,
    /// This host's clock less the product's.
    pub skew_seconds: Option<f64>,
}

impl Health {
    /// A source that is configured, before anything is known of it.
    pub fn expects(&self, name: &'static str, place: &str) {
        self.known().sources.entry(name).or_default().place = place.to_owned();
    }

    /// Ready to hear something; whether there is anything to hear is not its affair.
    pub fn ready(&self, name: &'static str) {
        let mut known = self.known();
        let source = known.sources.entry(name).or_default();
        source.works = true;
        source.error = None;
    }

    /// Has been heard just now.
    pub fn works(&self, name: &'static str) {
        self.ready(name);
        self.known().sources.entry(name).or_default().heard_at = Some(clock::now());
    }

    pub fn fails(&self, name: &'static str, error: &str) {
        let mut known = self.known();
        let source = known.sources.entry(name).or_default();
        source.works = false;
        source.error = Some(error.to_owned());
    }

    /// The product has answered with this status.
    pub fn answered(&self, status: reqwest::StatusCode, headers: &HeaderMap) {
        let now = clock::now();
        let mut known = self.known();
        known.api.answer = Some(status.to_string());
        known.api.answered_at = Some(now);
        if status.is_success() {
            known.api.accepted_at = Some(now);
        }
        known.api.skew_seconds = skew(headers, now).or(known.api.skew_seconds);
    }

    pub fn unanswered(&self, error: &str) {
        self.known().api.answer = Some(error.to_owned());
    }

    pub fn sources(&self) -> BTreeMap<String, Source> {
        let known = self.known();
        let named = known.sources.iter();
        named
            .map(|(name, source)| ((*name).to_owned(), source.clone()))
            .collect()
    }

    pub fn api(&self) -> Api {
        self.known().api.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This host's clock less that of the answer, whose `Date` has whole seconds: the middle of its second is taken.
pub fn skew(headers: &HeaderMap, now: OffsetDateTime) -> Option<f64> {
    let date = OffsetDateTime::parse(headers.get(DATE)?.to_str().ok()?, &Rfc2822).ok()?;
    let difference = now - date - time::Duration::milliseconds(500);
    Some((difference.as_seconds_f64() * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_skew_is_that_of_the_clocks() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sun, 22 Nov 2026 06:40:00 GMT".parse().unwrap());
        assert_eq!(skew(&headers, datetime!(2026-11-22 06:41:00.7 UTC)), Some(60.2));
        assert_eq!(skew(&headers, datetime!(2026-11-22 06:39:00.5 UTC)), Some(-60.0));
        headers.insert(DATE, "yesterday".parse().unwrap());
        assert_eq!(skew(&headers, datetime!(2026-11-22 06:41:00 UTC)), None);
    }
}
