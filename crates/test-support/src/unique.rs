use time::OffsetDateTime;
use uuid::Uuid;

/// A name that no other test has: for the bus (`BUS_NAMESPACE`), Redis (`REDIS_PREFIX`) and databases.
pub fn test_namespace() -> String {
    format!("t{}", &new_uuid().simple().to_string()[..16])
}

/// A fresh id. What a test checks must not depend on its value.
#[expect(clippy::disallowed_methods, reason = "names of test resources only have to differ")]
pub fn new_uuid() -> Uuid {
    Uuid::new_v4()
}

/// The current time in UTC, for `sent_at`.
#[expect(
    clippy::disallowed_methods,
    reason = "services compare an agent's clock with the machine's"
)]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
