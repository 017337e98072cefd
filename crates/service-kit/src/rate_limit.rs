//! How much one caller may do: a bucket of requests for each key, refilled evenly.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::problem::Problem;
use crate::shutdown::Shutdown;

const HOUSEKEEPING: Duration = Duration::from_secs(30);
/// Beyond so many keys the idle ones are forgotten at once, not at the next housekeeping: strangers choose their addresses.
const MANY_KEYS: usize = 200_000;

/// A limit for each key. Cheap to clone; clones share their counts. One process counts by itself: `n` replicas let through
/// up to `n` times as much.
///
/// ```
/// # use service_kit::rate_limit::{RateLimit, source};
/// let logins = RateLimit::per_minute(100.try_into().unwrap());
/// logins.take(&source([203, 0, 113, 5].into()))?;      // 429 `rate_limited` with `Retry-After` once it is too much
/// # Ok::<(), service_kit::Problem>(())
/// ```
pub struct RateLimit<K: Hash + Eq + Clone> {
    limiter: Arc<DefaultKeyedRateLimiter<K>>,
    clock: DefaultClock,
    burst: NonZeroU32,
}

impl<K: Hash + Eq + Clone> Clone for RateLimit<K> {
    fn clone(&self) -> Self {
        Self {
            limiter: Arc::clone(&self.limiter),
            clock: self.clock.clone(),
            burst: self.burst,
        }
    }
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// So many in a minute, all of them at once if need be.
    pub fn per_minute(requests: NonZeroU32) -> Self {
        Self::new(Quota::per_minute(requests))
    }

    /// So many a second in the long run, and `burst` at once.
    pub fn per_second(requests: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::new(Quota::per_second(requests).allow_burst(burst))
    }

    fn new(quota: Quota) -> Self {
        Self {
            limiter: Arc::new(RateLimiter::keyed(quota)),
            clock: DefaultClock::default(),
            burst: quota.burst_size(),
        }
    }

    /// Counts one request of this caller.
    ///
    /// # Errors
    /// 429 `rate_limited` with the seconds after which the same request fits.
    pub fn take(&self, key: &K) -> Result<(), Problem> {
        self.take_many(key, 1)
    }

    /// Counts a request that weighs as much as `weight`; one that weighs more than the burst takes all of it.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_many(&self, key: &K, weight: usize) -> Result<(), Problem> {
        if self.limiter.len() > MANY_KEYS {
            self.limiter.retain_recent();
        }
        let weight = u32::try_from(weight).ok().and_then(NonZeroU32::new);
        let weight = weight.unwrap_or(NonZeroU32::MIN).min(self.burst);
        let Ok(Err(refusal)) = self.limiter.check_key_n(key, weight) else {
            return Ok(());
        };
        let wait = refusal.wait_time_from(self.clock.now());
        let detail = "Too many requests; send the same request again later.";
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(wait.as_secs() + 1))
    }

    /// Forgets those who have not come for long. A worker of the service that has the limit.
    pub async fn keep_small(self, shutdown: Shutdown) {
        let mut ticks = tokio::time::interval(HOUSEKEEPING);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = ticks.tick() => self.limiter.retain_recent(),
            }
        }
    }
}

/// What counts as one source of requests: an IPv4 address, or the /64 of an IPv6 address, which one household has.
pub fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).expect("not zero")
    }

    #[test]
    fn each_caller_has_a_limit_of_its_own() {
        let limit = RateLimit::per_minute(number(3));
        for _ in 0..3 {
            limit.take(&1).expect("it fits");
        }
        let refusal = limit.clone().take(&1).expect_err("it is one too many");
        assert_eq!((refusal.status().as_u16(), refusal.error()), (429, "rate_limited"));
        limit.take(&2).expect("another caller");
    }

    #[test]
    fn a_heavy_request_takes_the_whole_burst_and_no_more() {
        let limit = RateLimit::per_second(number(1), number(10));
        limit.take_many(&1, 1_000).expect("it fits once");
        assert!(limit.take(&1).is_err());
        limit.take_many(&2, 0).expect("a request weighs at least one");
    }

    #[test]
    fn a_household_is_one_source() {
        let source = |text: &str| source(text.parse().expect("an address")).to_string();
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(source("203.0.113.5"), "203.0.113.5");
        assert_eq!(source("::ffff:203.0.113.5"), "203.0.113.5");
    }
}
