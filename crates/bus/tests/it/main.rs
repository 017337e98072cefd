//! The bus against a real NATS (`OVT_TEST_NATS_URL`), and the frozen bytes of its messages.

mod consumer;
mod notify;
mod publish;
mod realtime;
#[expect(clippy::unwrap_used, reason = "only tests call it")]
mod restart;
#[expect(clippy::unwrap_used, reason = "only tests call it")]
mod samples;
mod streams;
#[expect(clippy::unwrap_used, reason = "only tests call it")]
mod support;
