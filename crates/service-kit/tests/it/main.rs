//! The service kit seen from outside: over HTTP, and as a process.

mod demo;
mod docs;
mod edge;
mod health;
mod problems;
mod process;
mod request_ids;
mod support;
