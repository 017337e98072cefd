//! The host's clock: the one place where the agent reads it.

use time::OffsetDateTime;

/// Now, UTC.
#[expect(clippy::disallowed_methods, reason = "the one place where the agent reads the clock")]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
