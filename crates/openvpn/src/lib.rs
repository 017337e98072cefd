//! What an OpenVPN daemon says: its management interface, its status reports, the environment of its scripts; and what stands in
//! the files around it: its configuration, that of its clients, and the certificates that were issued and revoked.
//!
//! Parsers only: they take any text, never panic and never keep a password. The agent feeds them live, the simulator from
//! recordings.

pub mod certificate_index;
pub mod client_config;
pub mod config;
pub mod environment;
pub mod management;
pub mod network;
mod real_address;
pub mod revocation_list;
pub mod routes;
mod serial;
pub mod server_config;
pub mod status;

pub use environment::{ClientSoftware, Environment, unix_seconds};
pub use real_address::RealAddress;
pub use serial::canonical_serial;
