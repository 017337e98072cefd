//! The database: entities and every query, one function a question. No other crate sees sea-orm or sqlx.

pub mod activity;
pub mod api_keys;
pub mod apply;
pub mod audit;
pub mod commands;
mod connection;
pub mod dashboard;
pub mod dead_letters;
pub mod denials;
pub mod entities;
mod error;
pub mod events;
pub mod health_history;
pub mod identity;
pub mod live_session;
pub mod login_attempts;
pub mod paging;
pub mod permission_denials;
pub mod portal_roles;
pub mod portal_sessions;
pub mod portal_users;
mod reader;
pub mod search;
pub mod server_health;
pub mod servers;
pub mod servers_registry;
pub mod sessions;
pub mod signing_keys;
pub mod totp;
mod transaction;
pub mod usage;
pub mod vpn_users;

pub use connection::{DatabaseConfig, Db};
pub use error::Error;
pub use reader::ReaderConfig;
