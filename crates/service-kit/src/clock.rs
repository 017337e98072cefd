//! The one place that asks the machine for the time and for fresh ids; everything else is given them.

use time::OffsetDateTime;
use uuid::Uuid;

/// The current time in UTC.
#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A fresh UUIDv7: ids made later sort later.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
