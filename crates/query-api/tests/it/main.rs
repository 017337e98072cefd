//! The query-api as a process, on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod audit_logs;
mod dashboard;
mod denials;
mod events;
mod export;
mod health_history;
mod identity;
mod limits;
mod openapi;
mod registry;
mod rig;
mod search;
mod servers;
mod session_detail;
mod sessions;
mod terminate;
mod traffic;
mod usage;
mod volume;
mod vpn_user_edit;
mod vpn_users;
