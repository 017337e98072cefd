//! What an OpenVPN daemon says: its management interface, its status reports, the environment of its scripts; and what it reads:
//! its configuration.
//!
//! Parsers only: they take any text, never panic and never keep a password. The agent feeds them live, the simulator from
//! recordings.

pub mod config;
pub mod environment;
pub mod management;
pub mod status;

pub use environment::{ClientSoftware, Environment, unix_seconds};
