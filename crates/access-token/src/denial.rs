//! Refusals for want of a role, sampled for the audit log: one entry a minute for each caller and route, with the count.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::USER_AGENT;
use actix_web::{HttpMessage, HttpRequest};
use service_kit::RequestId;

use crate::caller::Caller;

/// Longer ones are cut: an audit log is no place to fill a disk from.
const MAX_USER_AGENT: usize = 512;
const ONE_EVERY: Duration = Duration::from_secs(60);

/// A caller was refused a route for want of a role.
#[derive(Debug, Clone)]
pub struct Denial {
    /// Who asked.
    pub caller: Caller,
    /// Upper-case HTTP method.
    pub method: String,
    /// The pattern of the route, as in `/api/sessions/{id}`.
    pub route: String,
    /// Where the last of them came from.
    pub ip_address: IpAddr,
    /// The `User-Agent` of the last of them.
    pub user_agent: Option<String>,
    /// The id of the last of these requests.
    pub request_id: Option<String>,
    /// How many times since this was last told; the first is told at once.
    pub count: u32,
}

impl Denial {
    pub(crate) fn of(caller: &Caller, request: &HttpRequest) -> Self {
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            caller: caller.clone(),
            method: request.method().to_string(),
            route: request.match_pattern().unwrap_or_default(),
            ip_address: service_kit::client_ip(request),
            user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
            request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
            count: 1,
        }
    }
}

/// By caller, method and route.
type Key = (i64, String, String);

#[derive(Default)]
pub(crate) struct Sampler(Mutex<HashMap<Key, Sample>>);

struct Sample {
    told: Instant,
    untold: u32,
    /// The last of those not told.
    last: Denial,
}

impl Sampler {
    /// What is to be told now that this happened: this denial, others whose minute is over, or nothing.
    pub(crate) fn sample(&self, denial: Denial, now: Instant) -> Vec<Denial> {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (
            denial.caller.portal_user_id,
            denial.method.clone(),
            denial.route.clone(),
        );
        let sample = samples.entry(key).or_insert_with(|| Sample {
            // As if the minute were over: the first is told at once.
            told: now.checked_sub(ONE_EVERY).unwrap_or(now),
            untold: 0,
            last: denial.clone(),
        });
        sample.untold += 1;
        sample.last = denial;
        let mut due = Vec::new();
        samples.retain(|_, sample| {
            if now.duration_since(sample.told) < ONE_EVERY {
                return true;
            }
            let count = std::mem::take(&mut sample.untold);
            sample.told = now;
            if count > 0 {
                due.push(Denial {
                    count,
                    ..sample.last.clone()
                });
            }
            // Quiet for a whole minute: forgotten, so that the next one is told at once.
            count > 0
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use domain::role::Role;
    use uuid::Uuid;

    use super::*;

    fn denial(id: i64) -> Denial {
        let caller = Caller {
            portal_user_id: id,
            username: format!("user{id}"),
            roles: vec![Role::Viewer],
            token_id: Uuid::nil(),
            session_id: Uuid::nil(),
            token_version: 1,
            required_action: None,
        };
        Denial::of(&caller, &TestRequest::default().to_http_request())
    }

    fn told(denials: &[Denial]) -> Vec<(i64, u32)> {
        let mut told: Vec<_> = denials
            .iter()
            .map(|denial| (denial.caller.portal_user_id, denial.count))
            .collect();
        told.sort_unstable();
        told
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_of_its_minute_as_a_count() {
        let sampler = Sampler::default();
        let start = Instant::now();
        let deny = |id, after| told(&sampler.sample(denial(id), start + Duration::from_secs(after)));
        assert_eq!(deny(1, 0), [(1, 1)]);
        assert_eq!(deny(1, 10), []);
        assert_eq!(deny(1, 59), []);
        assert_eq!(deny(1, 61), [(1, 3)]);
        assert_eq!(deny(2, 62), [(2, 1)]);
        assert_eq!(deny(1, 100), []);
        // Somebody else's denial tells what has been kept for longer than a minute.
        assert_eq!(deny(3, 130), [(1, 1), (3, 1)]);
    }
}
