//! How the agent's parts are: each says it here, `agent status` and `/metrics` read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::header::{DATE, HeaderMap};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::watch;

use crate::clock;

/// Seconds that the clocks may differ by before it is said.
pub(crate) const SKEW: f64 = 5.0;

/// A handle that every part has.
#[derive(Debug, Clone)]
pub struct Health(Arc<watch::Sender<Known>>);

#[derive(Debug, Default)]
struct Known {
    sources: BTreeMap<&'static str, Source>,
    api: Api,
    asked_at: Option<OffsetDateTime>,
    inventory: Option<Told>,
    dead_letters: DeadLetters,
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

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Known::default())))
    }
}

/// What the product has been told of the files beside the daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When something was sent last, since the agent's start; it is sent at the start, and whenever the files have changed.
    #[serde(with = "time::serde::rfc3339::option")]
    pub accepted_at: Option<OffsetDateTime>,
    /// Certificates, addresses and routes.
    pub entries: usize,
    /// Why the product does not have what the files say now; it names the file.
    pub error: Option<String>,
}

/// Events that the product has refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetters {
    /// Those of earlier runs that are still kept, and all of this one.
    pub count: u64,
    /// Why the last one of this run was.
    pub last: Option<String>,
}

impl Health {
    /// A source that is configured, before anything is known of it.
    pub fn expects(&self, name: &'static str, place: &str) {
        self.source(name, |source| place.clone_into(&mut source.place));
    }

    /// Ready to hear something; whether there is anything to hear is not its affair.
    pub fn ready(&self, name: &'static str) {
        self.source(name, |source| {
            source.works = true;
            source.error = None;
        });
    }

    /// Has been heard just now.
    pub fn works(&self, name: &'static str) {
        self.source(name, |source| {
            source.works = true;
            source.error = None;
            source.heard_at = Some(clock::now());
        });
    }

    pub fn fails(&self, name: &'static str, error: &str) {
        self.source(name, |source| {
            source.works = false;
            source.error = Some(error.to_owned());
        });
    }

    /// The product has answered with this status.
    pub fn answered(&self, status: reqwest::StatusCode, headers: &HeaderMap) {
        let now = clock::now();
        self.0.send_modify(|Known { api, .. }| {
            api.answer = Some(status.to_string());
            api.answered_at = Some(now);
            if status.is_success() {
                api.accepted_at = Some(now);
            }
            api.skew_seconds = skew(headers, now).or(api.skew_seconds);
        });
    }

    pub fn unanswered(&self, error: &str) {
        self.0.send_modify(|known| known.api.answer = Some(error.to_owned()));
    }

    /// The product has said what it asks of this agent: the commands, and who is denied.
    pub fn was_asked(&self) {
        self.0.send_modify(|known| known.asked_at = Some(clock::now()));
    }

    /// When the product said last what it asks of this agent.
    pub fn asked_at(&self) -> Option<OffsetDateTime> {
        self.0.borrow().asked_at
    }

    /// There is something to look at.
    pub fn has_inventory(&self) {
        self.inventory_is(|_| {});
    }

    /// The product has it as it is.
    pub fn inventory_told(&self, entries: usize) {
        let accepted_at = Some(clock::now());
        let told = Told {
            accepted_at,
            entries,
            error: None,
        };
        self.inventory_is(|inventory| *inventory = told);
    }

    /// The files are as the product has them.
    pub fn inventory_unchanged(&self) {
        self.inventory_is(|inventory| inventory.error = None);
    }

    pub fn inventory_fails(&self, error: &str) {
        self.inventory_is(|inventory| inventory.error = Some(error.to_owned()));
    }

    /// None: there is nothing to look at.
    pub fn inventory(&self) -> Option<Told> {
        self.0.borrow().inventory.clone()
    }

    /// What earlier runs have left.
    pub fn keeps_dead_letters(&self, count: u64) {
        self.0.send_modify(|known| known.dead_letters.count = count);
    }

    pub fn dead_letter(&self, why: &str) {
        self.0.send_modify(|Known { dead_letters, .. }| {
            dead_letters.count += 1;
            dead_letters.last = Some(why.to_owned());
        });
    }

    pub fn dead_letters(&self) -> DeadLetters {
        self.0.borrow().dead_letters.clone()
    }

    pub fn sources(&self) -> BTreeMap<String, Source> {
        let known = self.0.borrow();
        let named = known.sources.iter();
        named
            .map(|(name, source)| ((*name).to_owned(), source.clone()))
            .collect()
    }

    pub fn api(&self) -> Api {
        self.0.borrow().api.clone()
    }

    /// Until it is known of each source and of the product whether they work.
    pub async fn is_known(&self) {
        let tried = |source: &Source| source.works || source.error.is_some();
        let all = |known: &Known| known.api.answer.is_some() && known.sources.values().all(tried);
        // The sender is this handle's own.
        let _ = self.0.subscribe().wait_for(all).await;
    }

    fn inventory_is(&self, change: impl FnOnce(&mut Told)) {
        self.0
            .send_modify(|known| change(known.inventory.get_or_insert_default()));
    }

    fn source(&self, name: &'static str, change: impl FnOnce(&mut Source)) {
        self.0
            .send_modify(|known| change(known.sources.entry(name).or_default()));
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
