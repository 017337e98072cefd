//! session-processor as a process of its own between a real NATS, PostgreSQL and Redis; what ingest would publish comes from
//! the test.

mod deltas;
mod redelivery;
mod replicas;
mod rig;
mod shutdown;
