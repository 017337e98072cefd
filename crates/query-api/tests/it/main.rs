//! The query-api as a process, on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod dashboard;
mod events;
mod export;
mod identity;
mod limits;
mod openapi;
mod rig;
mod servers;
mod session_detail;
mod sessions;
mod volume;
mod vpn_users;
