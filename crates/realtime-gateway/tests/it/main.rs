//! realtime-gateway as a process of its own on a real PostgreSQL, NATS and Redis; what session-processor would publish comes
//! from the test.

#[expect(clippy::unwrap_used, reason = "only tests call it")]
mod closing;
mod entering;
#[expect(clippy::unwrap_used, reason = "only tests call it")]
mod following;
mod openapi;
mod outages;
#[expect(clippy::unwrap_used, reason = "only tests call it")]
mod rig;
mod rooms;
#[expect(clippy::unwrap_used, reason = "only tests call it")]
mod slow;
