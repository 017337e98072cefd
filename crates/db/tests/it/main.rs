//! The processor's path on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "tests")]

mod apply;
mod audit;
mod inventory;
mod support;
mod usage;
