//! Recordings of real OpenVPN daemons: parsers of what the daemon said, and the sessions that follow from it.
//!
//! Parsers take any text, never panic and never keep a password.

mod boots;
pub mod environment;
pub mod expected;
mod history;
mod load;
pub mod management;
pub mod replay;
pub mod status;

pub use expected::{ExpectedSession, expected_sessions};
pub use load::{LoadError, Recording, find_runs};
pub use replay::{ReplayedBoot, replay};
