//! Access tokens: who signs them, who checks them, and which route asks for which role.
//!
//! A service lists its routes once, wraps them in a [`Guard`] and takes the [`Caller`] in its handlers. A route that is
//! not in the list is answered 404 before any handler runs.
//!
//! Tokens that were taken back are on the [`Denylist`]. Reads ask its copy in the process; whatever changes something, and
//! what only admins may see, asks Redis itself and is refused when Redis cannot be asked.

mod caller;
mod claims;
mod config;
mod denial;
mod denylist;
mod guard;
mod jwks;
mod keys;
mod openapi;
mod provider;
mod refusal;
mod routes;
mod signer;
mod verifier;

pub use caller::Caller;
pub use claims::Claims;
pub use config::AccessConfig;
pub use denial::Denial;
pub use denylist::{Denylist, DenylistUnavailable};
pub use guard::Guard;
pub use jwks::{Jwk, Jwks, PublicKey};
pub use openapi::{RouteMismatch, secure};
pub use refusal::Refusal;
pub use routes::{Access, Route};
pub use signer::{Signer, SignerError};
pub use verifier::Verifier;
