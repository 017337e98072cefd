//! Ingest against a real NATS and PostgreSQL; the tests play the agent and, where they need one, the processor.

mod answers;
mod batching;
mod commands;
mod faults;
mod inventory;
mod keys;
mod openapi;
mod refusals;
mod support;
