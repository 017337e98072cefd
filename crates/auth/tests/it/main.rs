//! The auth service and its commands as processes, on real servers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod cookies;
mod device;
mod keys;
mod lockout;
mod login;
mod openapi;
mod person;
mod portal_users;
mod profile;
mod revocation;
mod rig;
mod server_keys;
mod sessions;
mod tokens;
mod totp;
