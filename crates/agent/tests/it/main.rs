//! The agent's parts, on recordings of real daemons and on a real disk.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commands;
mod inventory;
mod odd_servers;
mod recordings;
mod releases;
mod spool;
