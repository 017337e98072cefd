//! The rules of OpenVPN Telemetry: events and their validation, the timeline that turns events into sessions, sequence
//! gaps, identity at an instant, roles. Pure: no IO, no clock, no randomness.

pub mod audit_chain;
pub mod event;
pub mod gaps;
#[cfg(feature = "history")]
pub mod history;
pub mod identity;
pub mod inventory;
pub mod required_action;
pub mod revocation;
pub mod role;
pub mod session;
pub mod time_format;
pub mod timeline;
pub mod wire;
