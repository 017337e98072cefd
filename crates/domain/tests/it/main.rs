//! The timeline as its users rely on it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod audit_chain;
mod convergence;
mod rules;
mod story;
