//! The host's clocks: the one place where the agent reads them.

use std::fs;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Now, milliseconds since 1970.
pub fn now_ms() -> i64 {
    i64::try_from(now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// Now, UTC.
#[expect(clippy::disallowed_methods, reason = "the one place where the agent reads the clock")]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// An instant that other processes and a later run of the agent understand, whatever happens to the clock: times since the host's
/// start, also while it slept. Of another start only the clock is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instant {
    /// The host's clock, milliseconds since 1970.
    pub clock: i64,
    /// Milliseconds since the host's start, and which start that was.
    pub uptime: Option<(i64, String)>,
}

impl Instant {
    pub fn now() -> Self {
        Self {
            clock: now_ms(),
            uptime: uptime(),
        }
    }

    #[must_use]
    pub fn after(&self, milliseconds: i64) -> Self {
        let uptime = self.uptime.clone();
        Self {
            clock: self.clock.saturating_add(milliseconds),
            uptime: uptime.map(|(at, start)| (at.saturating_add(milliseconds), start)),
        }
    }

    /// How far this is from `now`, milliseconds; negative when it is over.
    pub fn left(&self, now: &Self) -> i64 {
        match (&self.uptime, &now.uptime) {
            (Some((at, start)), Some((now, this_start))) if start == this_start => at.saturating_sub(*now),
            _ => self.clock.saturating_sub(now.clock),
        }
    }
}

fn uptime() -> Option<(i64, String)> {
    let start = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let (seconds, hundredths): (i64, i64) = (seconds.parse().ok()?, hundredths.parse().ok()?);
    Some((seconds * 1_000 + hundredths * 10, start.trim().to_owned()))
}
