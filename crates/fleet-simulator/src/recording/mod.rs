//! Recordings of real OpenVPN daemons, and the sessions that follow from what the daemon said.

mod boots;
pub mod expected;
mod history;
mod load;
pub mod replay;

pub use expected::{ExpectedSession, expected_sessions};
pub use load::{LoadError, Recording, find_runs};
pub use replay::{ReplayedBoot, replay};
