//! The bytes of sessions by the UTC hour in which they flowed.
//!
//! A session's counters are read at the times of its events; between two readings the bytes are spread evenly. What the
//! session itself says in the end is the last reading, so that the hours of a session add up to its bytes. Counting is set-based
//! and off the path of the events: [`count`] computes sessions anew from `vpn_session` and `vpn_event`, as often as one likes
//! and in any order, so late events are made good whenever their sessions are counted again.

mod changed;
mod count;
mod hold;
mod report;

pub use changed::{Changed, all_blocks, changed_in_blocks, changed_recently};
pub use count::{Since, count};
pub use hold::{Hold, Progress, finish_all, finish_recent, hold, progress, release};
pub use report::{
    Bucket, BucketUsage, GroupBy, TopUser, UsageFilter, bytes_by_bucket, explain_reports, sessions_by_bucket, top_users,
};
