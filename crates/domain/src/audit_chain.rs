//! The audit log as a chain: every entry holds the SHA-256 of the entry before it, so that none can be changed, removed,
//! moved or put in between without every later hash changing, and signed hashes kept elsewhere tell when those did.
//!
//! PostgreSQL computes the hashes when it appends (`audit_entry_hash`, migration 0004); here they are checked, from a database
//! as well as from an export.

mod canonical;
mod checkpoint;
mod entry;
mod export;
mod fault;
mod suspicion;
mod verifier;

pub use canonical::canonical_json;
pub use checkpoint::{Checkpoint, PublicKey, SigningKey, UnusableKey};
pub use entry::{BEFORE_THE_FIRST, ChainedEntry, Hash, from_hex, hex};
pub use export::{COLUMNS, Record, UnreadableRecord, end_cells, entry_cells, record_from_cells};
pub use fault::{Fault, FirstBad, Report};
pub use verifier::{Coverage, Head, Verifier};
