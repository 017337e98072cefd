//! The bus against a real NATS (`OVT_TEST_NATS_URL`), and the frozen bytes of its messages.

mod consumer;
mod notify;
mod publish;
mod restart;
mod samples;
mod streams;
mod support;
