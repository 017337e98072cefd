pub(crate) use db::server_health::{ServerStatus, Thresholds, Trouble, is_skewed, judge};
