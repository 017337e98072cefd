//! The simulator as its users see it: plans, recordings, load.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod demo;
mod load;
mod orders;
mod plan;
mod recordings;
mod server;
