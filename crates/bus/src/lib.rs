//! The bus: every subject, stream and payload that services share, and how to publish and consume them. No other crate
//! sees async-nats.
//!
//! Telemetry and rejected events travel on JetStream and are acknowledged twice: to the publisher when they are on disk,
//! by the consumer when they are in the database. Session changes for realtime subscribers are on JetStream too, in memory
//! and for minutes, so that they have one order and one position. Everything else is core NATS: lost when nobody listens,
//! and nobody's truth.

mod config;
mod connection;
mod consume;
mod convert;
mod encoded;
mod error;
mod inventory;
mod names;
mod notify;
mod publish;
mod realtime;
mod revocation;
mod streams;
mod trace;

/// The messages of `proto/ovt/telemetry/v1/telemetry.proto`.
pub mod proto {
    #![expect(
        missing_docs,
        clippy::all,
        reason = "generated from the .proto file, which documents the messages"
    )]
    include!(concat!(env!("OUT_DIR"), "/ovt.telemetry.v1.rs"));
}

pub use config::BusConfig;
pub use connection::Bus;
pub use consume::{Consumer, Fetch, Message, RejectedConsumer, TelemetryConsumer};
pub use convert::{InvalidMessage, micros_from_time, time_from_micros};
pub use encoded::EncodedRequest;
pub use error::{Error, PublishError};
pub use names::Names;
pub use realtime::{DeltaFeed, PositionedDeltas, RealtimeState};
