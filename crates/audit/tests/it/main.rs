//! The `audit` program on real exports, checkpoints and databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;
mod signed;
mod speed;
mod tampered_exports;
