//! Real OpenVPN servers and clients, each in a network namespace of its own, with the real agent beside the server.
//!
//! Needs root and /dev/net/tun; `SKIP_OPENVPN=1` leaves these tests out.
#![expect(clippy::unwrap_used, reason = "a lab that cannot be set up has failed its test")]

mod addresses;
mod chaos;
mod clock;
mod command_faults;
mod commands;
mod disk;
mod ends;
mod faults;
mod lab;
mod names;
mod operations;
mod outage;
mod passthrough;
pub(crate) mod pki;
mod restarts;
mod sessions;
mod sources;
mod transports;

use lab::{Lab, Plan};
