//! The auth service and its commands as processes, on real servers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod keys;
mod login;
mod openapi;
mod rig;
mod tokens;
