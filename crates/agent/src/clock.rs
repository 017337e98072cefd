//! The host's clock: the one place where the agent reads it.

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
