//! How much one VPN server may send. The memory is bounded by the registry: only servers with a valid key get here.

use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use service_kit::{Problem, Shutdown};

use crate::config::Limits;

const HOUSEKEEPING: Duration = Duration::from_secs(60);

pub(crate) struct RateLimit {
    limiter: DefaultKeyedRateLimiter<i32>,
    clock: DefaultClock,
    burst: NonZeroU32,
}

impl RateLimit {
    pub(crate) fn new(limits: &Limits) -> Self {
        let one = NonZeroU32::MIN;
        let burst = NonZeroU32::new(limits.ingest_events_burst).unwrap_or(one);
        let rate = NonZeroU32::new(limits.ingest_events_per_second).unwrap_or(one);
        let quota = Quota::per_second(rate).allow_burst(burst);
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            burst,
        }
    }

    /// Counts a request with this many events.
    ///
    /// # Errors
    /// 429 with the seconds after which the same request fits.
    pub(crate) fn take(&self, server_key: i32, events: usize) -> Result<(), Problem> {
        // A request larger than the burst takes all of it.
        let weight = u32::try_from(events)
            .ok()
            .and_then(NonZeroU32::new)
            .unwrap_or(NonZeroU32::MIN)
            .min(self.burst);
        let Ok(Err(refusal)) = self.limiter.check_key_n(&server_key, weight) else {
            return Ok(());
        };
        let wait = refusal.wait_time_from(self.clock.now());
        let detail = "This VPN server sends more events than it may; send the same request again later.";
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(wait.as_secs() + 1))
    }

    /// Forgets servers that have not sent for long.
    pub(crate) async fn keep_small(&self, shutdown: Shutdown) {
        let mut ticks = tokio::time::interval(HOUSEKEEPING);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = ticks.tick() => self.limiter.retain_recent(),
            }
        }
    }
}
