//! The database: entities and every query, one function a question. No other crate sees sea-orm or sqlx.

pub mod api_keys;
pub mod apply;
pub mod audit;
mod connection;
pub mod dashboard;
pub mod dead_letters;
pub mod entities;
mod error;
pub mod events;
pub mod identity;
pub mod paging;
pub mod portal_users;
mod reader;
pub mod servers;
pub mod servers_registry;
pub mod sessions;
pub mod signing_keys;
mod transaction;
pub mod vpn_users;

pub use connection::{DatabaseConfig, Db};
pub use error::Error;
pub use reader::ReaderConfig;
