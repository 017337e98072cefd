//! Development only.
#[path = "it/faults/mod.rs"]
mod faults;
