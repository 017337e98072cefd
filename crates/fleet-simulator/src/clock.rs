//! The one place that reads the wall clock.

use time::OffsetDateTime;

/// Now, UTC.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
